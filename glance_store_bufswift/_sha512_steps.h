/*
 *    Licensed under the Apache License, Version 2.0 (the "License"); you may
 *    not use this file except in compliance with the License. You may obtain
 *    a copy of the License at
 *
 *         http://www.apache.org/licenses/LICENSE-2.0
 *
 *    Unless required by applicable law or agreed to in writing, software
 *    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
 *    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
 *    License for the specific language governing permissions and limitations
 *    under the License.
 *
 * The steps of SHA-512, if wanted with those of two MD5s of the same bytes.
 *
 * MD5 leaves a processor idle, as each step waits for the one before it. The
 * steps of SHA-512 fill that time. They too work on vectors, which takes half
 * the instructions: beside a busy hyperthread these are what counts.
 */

#include "_sha512_words.h"

/* FIPS 180-4, 6.4.2, of two words that take part alike: the lower one is a, b,
 * c or d, the upper one is e, f, g or h. */
typedef __m128i Sides;
#define LOWER 1
#define UPPER 2
#define SIDES(lower, upper) \
    _mm_set_epi64x((long long)(upper), (long long)(lower))

/* FIPS 180-4, 4.1.3: the large sigmas. */
INLINE WITH_AVX512 Sides
large_sigmas(Sides ae)
{
    return _mm_ternarylogic_epi64(
        _mm_rorv_epi64(ae, SIDES(28, 14)), _mm_rorv_epi64(ae, SIDES(34, 18)),
        _mm_rorv_epi64(ae, SIDES(39, 41)), XOR_OF_THREE);
}

/* What each combination of three bits gives: of c, a and b, or g, e and f. */
#define MAJORITY 0xe8
#define CHOICE 0xb8

/* FIPS 180-4, 4.1.3: Maj(a, b, c) and Ch(e, f, g). */
INLINE WITH_AVX512 Sides
majority_and_choice(Sides ae, Sides bf, Sides cg)
{
    return _mm_mask_ternarylogic_epi64(
        _mm_mask_ternarylogic_epi64(cg, LOWER, ae, bf, MAJORITY),
        UPPER, ae, bf, CHOICE);
}

/* The upper word of one, below the lower word of the other. */
INLINE WITH_AVX512 Sides
cross(Sides upper, Sides lower)
{
    return _mm_castpd_si128(_mm_shuffle_pd(
        _mm_castsi128_pd(upper), _mm_castsi128_pd(lower), 1));
}

/* FIPS 180-4, 6.4.2, step 3. The lower side is a step behind: `be` holds b and
 * e. So a step need not wait till T1 has crossed to the lower side: that one is
 * of the step before. `ts` holds T2 of the step before, and T1. */
#define SHA512_STEP(be, cf, dg, h, i) \
    do { \
        const Sides before = cross(ts, dg); \
        const Sides known = _mm_maskz_add_epi64( \
            UPPER, h, _mm_set1_epi64x((long long)sums[i])); \
        ts = _mm_add_epi64(large_sigmas(be), _mm_add_epi64( \
            majority_and_choice(be, cf, dg), known)); \
        h = _mm_add_epi64(ts, before); \
    } while (0);

/* A sixteenth of a block: words, five steps of SHA-512, and eight of MD5. */
#define GROUP(n, be, cf, dg, h, w0, w1, w4, w5, w7, md5) \
    FURTHER(n, w0, w1, w4, w5, w7) \
    SHA512_STEP(be, cf, dg, h, 5 * n) \
    SHA512_STEP(h, be, cf, dg, 5 * n + 1) \
    FOUR_STEPS(md5, 8 * n) \
    SHA512_STEP(dg, h, be, cf, 5 * n + 2) \
    SHA512_STEP(cf, dg, h, be, 5 * n + 3) \
    FOUR_STEPS(md5, 8 * n + 4) \
    SHA512_STEP(be, cf, dg, h, 5 * n + 4)

/* T2, in the lower word. */
#define T2(be, cf, dg) \
    _mm_add_epi64(large_sigmas(be), majority_and_choice(be, cf, dg))

/* A state, in the lower words and the upper ones; some are unused. */
typedef struct {
    Sides a, be, cf, dg, h;
} StateOfSides;

INLINE StateOfSides
to_sides(const uint64_t state[8])
{
    return (StateOfSides){
        SIDES(state[0], 0), SIDES(state[1], state[4]),
        SIDES(state[2], state[5]), SIDES(state[3], state[6]),
        SIDES(0, state[7])};
}

INLINE void
from_sides(uint64_t state[8], const StateOfSides *sides)
{
    const Sides words[8] = {
        sides->a, sides->be, sides->cf, sides->dg,
        _mm_unpackhi_epi64(sides->be, sides->be),
        _mm_unpackhi_epi64(sides->cf, sides->cf),
        _mm_unpackhi_epi64(sides->dg, sides->dg),
        _mm_unpackhi_epi64(sides->h, sides->h)};

    for (int i = 0; i < 8; i++)
        state[i] = (uint64_t)_mm_cvtsi128_si64(words[i]);
}

/* For a half of a block: where its further words go, and their roots. */
#define FURTHER_OF_HALF(now, next) \
    uint64_t *const late = now + LATE_WORDS + 16 * half; \
    uint64_t *const early = next + EARLY_WORDS + 16 * half; \
    const uint64_t *const roots = all_roots + 32 * half

/* Blocks of SHA-512, and with `md5s` twice as many of MD5.
 *
 * A loop over halves is as fast as all in a row, and half the code. */
INLINE WITH_AVX512 void
advance_with(int md5s, uint64_t state[8], uint32_t one[4], uint32_t other[4],
             const unsigned char *block, size_t blocks)
{
    _Alignas(32) uint64_t all_sums[2][ALL_WORDS];
    _Alignas(32) uint64_t all_roots[2 * (ALL_WORDS - LATE_WORDS)];
    ByWord sines, values;
    Words w0 = {0}, w1 = w0, w2 = w0, w3 = w0, w4 = w0, w5 = w0, w6 = w0,
          w7 = w0;
    StateOfSides total = to_sides(state);
    LOAD_LANES(total_, one, other);

    if (blocks == 0)
        return;
    sort_sines(sines);
    sort_roots(all_roots);
    NEXT_BLOCK(all_sums[0], block)
    for (int half = 0; half < 2; half++) {
        /* Only early words: no block is before the first one. */
        FURTHER_OF_HALF(all_sums[1], all_sums[0]);
        ALL_FURTHER
    }
    for (size_t i = 0; i < blocks; i++) {
        uint64_t *const now = all_sums[i % 2];
        uint64_t *const next = all_sums[1 - i % 2];
        Sides be = total.be, cf = total.cf, dg = total.dg, h = total.h;
        const Sides t1 = _mm_sub_epi64(total.a, T2(be, cf, dg));
        Sides ts = cross(t1, t1);

        /* After the last one none is read: it takes that place itself. */
        NEXT_BLOCK(next, i + 1 < blocks ? block + SHA512_BLOCK : block)
        for (int half = 0; half < 2; half++) {
            const uint64_t *const sums = now + ALL_WORDS / 2 * half;
            Lanes xa = total_a, xb = total_b, xc = total_c, xd = total_d;
            FURTHER_OF_HALF(now, next);

            if (md5s)
                add_sines(values, sines, block);
#define EACH(...) if (md5s) LANES_STEP(__VA_ARGS__)
            GROUP(0, be, cf, dg, h, w0, w1, w4, w5, w7, F)
            GROUP(1, h, be, cf, dg, w1, w2, w5, w6, w0, F)
            GROUP(2, dg, h, be, cf, w2, w3, w6, w7, w1, G)
            GROUP(3, cf, dg, h, be, w3, w4, w7, w0, w2, G)
            GROUP(4, be, cf, dg, h, w4, w5, w0, w1, w3, H)
            GROUP(5, h, be, cf, dg, w5, w6, w1, w2, w4, H)
            GROUP(6, dg, h, be, cf, w6, w7, w2, w3, w5, I)
            GROUP(7, cf, dg, h, be, w7, w0, w3, w4, w6, I)
#undef EACH
            ADD(total_, x);
            block += MD5_BLOCK;
        }
        total.a = _mm_add_epi64(total.a, _mm_add_epi64(
            cross(ts, ts), T2(be, cf, dg)));
        total.be = _mm_add_epi64(total.be, be);
        total.cf = _mm_add_epi64(total.cf, cf);
        total.dg = _mm_add_epi64(total.dg, dg);
        total.h = _mm_add_epi64(total.h, h);
    }
    from_sides(state, &total);
    STORE_LANE(total_, one, 0);
    STORE_LANE(total_, other, 1);
}
/* `one` may be `other`. */
WITH_AVX512 ALONE static void
advance_three(uint64_t state[8], uint32_t one[4], uint32_t other[4],
              const unsigned char *block, size_t blocks)
{
    advance_with(1, state, one, other, block, blocks);
}

WITH_AVX512 ALONE static void
advance_sha512(uint64_t state[8], const unsigned char *block, size_t blocks)
{
    uint32_t unused[4] = {0};

    advance_with(0, state, unused, unused, block, blocks);
}

