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
 * SHA-512 (FIPS 180-4) of a stream, if wanted with two MD5s of the same bytes
 * in the same pass, on processors with AVX-512.
 *
 * MD5 leaves a processor idle, as each step waits for the one before it. The
 * steps of SHA-512 fill that time. They too work on vectors, which takes half
 * the instructions: beside a busy hyperthread these are what counts.
 */

#ifdef __x86_64__

#include <immintrin.h>

#define SHA512_BLOCK 128
#define SHA512_DIGEST 64
/* Where the length in bits stands in the last block, FIPS 180-4, 5.1.2. */
#define SHA512_LENGTH_AT (SHA512_BLOCK - 16)

/* FIPS 180-4, 4.2.3: of the cube roots of the first eighty primes. */
static const uint64_t CUBE_ROOTS[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f,
    0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019,
    0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242,
    0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3,
    0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275,
    0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f,
    0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc,
    0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6,
    0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
    0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99,
    0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb,
    0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc,
    0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915,
    0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207,
    0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba,
    0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a,
    0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* A hash under way: the state, and the bytes that fill no block yet. */
typedef struct {
    uint64_t state[8];
    uint64_t length;
    unsigned char rest[SHA512_BLOCK];
} SHA512;

static void
begin_sha512(SHA512 *hash)
{
    /* FIPS 180-4, 5.3.5. */
    static const uint64_t FIRST[8] = {
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
        0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

    memcpy(hash->state, FIRST, sizeof FIRST);
    hash->length = 0;
}

/* Whether this processor has what the loops with AVX-512 are made of. */
static int
has_avx512(void)
{
    return __builtin_cpu_supports("avx512vl");
}

#define WITH_AVX512 __attribute__((target("avx512vl")))

/* Four words, the first one lowest. */
typedef __m256i Words;

/* The words of a block from `number` on; they are big-endian. */
INLINE WITH_AVX512 Words
first_words(const unsigned char *block, int number)
{
    const Words order = _mm256_set_epi64x(
        0x08090a0b0c0d0e0f, 0x0001020304050607,
        0x08090a0b0c0d0e0f, 0x0001020304050607);

    return _mm256_shuffle_epi8(
        _mm256_loadu_si256((const Words *)(block + 8 * number)), order);
}

/* FIPS 180-4, 4.1.3: the small sigmas. */
#define XOR_OF_THREE 0x96
#define SIGMA(words, rotate, more, shift) \
    _mm256_ternarylogic_epi64( \
        _mm256_ror_epi64(words, rotate), _mm256_ror_epi64(words, more), \
        _mm256_srli_epi64(words, shift), XOR_OF_THREE)

/* For vectors of four words. */
#define LAST_TWO 0xc
#define FIRST_TWO_AGAIN 0x44

/* FIPS 180-4, 6.4.2: the four words after w0 to w3. The last two of them need
 * the first two. */
INLINE WITH_AVX512 Words
next_words(Words w0, Words w1, Words w2, Words w3)
{
    const Words second = _mm256_alignr_epi64(w1, w0, 1);
    const Words tenth = _mm256_alignr_epi64(w3, w2, 1);
    const Words sum = _mm256_add_epi64(
        _mm256_add_epi64(w0, tenth), SIGMA(second, 1, 8, 7));
    const Words last = _mm256_zextsi128_si256(
        _mm256_extracti128_si256(w3, 1));
    const Words two = _mm256_add_epi64(sum, SIGMA(last, 19, 61, 6));

    return _mm256_add_epi64(two, _mm256_maskz_permutex_epi64(
        LAST_TWO, SIGMA(two, 19, 61, 6), FIRST_TWO_AGAIN));
}

#define ADD_ROOTS(to, words, roots, number) \
    _mm256_store_si256((Words *)(to + (number)), _mm256_add_epi64( \
        words, _mm256_loadu_si256((const Words *)(roots + (number)))))

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

/* A sixteenth of a block: four further words, five steps of SHA-512, and eight
 * of MD5. */
#define GROUP(n, be, cf, dg, h, w0, w1, w2, w3, md5) \
    w0 = next_words(w0, w1, w2, w3); \
    ADD_ROOTS(further, w0, further_roots, 4 * n); \
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

/* Blocks of SHA-512, and with `md5s` twice as many of MD5.
 *
 * A loop over halves is as fast as all in a row, and half the code. */
INLINE WITH_AVX512 void
advance_with(int md5s, uint64_t state[8], uint32_t one[4], uint32_t other[4],
             const unsigned char *block, size_t blocks)
{
    ByWord sines, values;
    StateOfSides total = to_sides(state);
    LOAD_LANES(total_, one, other);

    sort_sines(sines);
    for (; blocks > 0; blocks--) {
        _Alignas(32) uint64_t all_sums[80];
        uint64_t *sums = all_sums, *further = all_sums + 16;
        const uint64_t *further_roots = CUBE_ROOTS + 16;
        Sides be = total.be, cf = total.cf, dg = total.dg, h = total.h;
        const Sides t1 = _mm_sub_epi64(total.a, T2(be, cf, dg));
        Sides ts = cross(t1, t1);
        Words w0 = first_words(block, 0), w1 = first_words(block, 4),
              w2 = first_words(block, 8), w3 = first_words(block, 12);

        ADD_ROOTS(sums, w0, CUBE_ROOTS, 0);
        ADD_ROOTS(sums, w1, CUBE_ROOTS, 4);
        ADD_ROOTS(sums, w2, CUBE_ROOTS, 8);
        ADD_ROOTS(sums, w3, CUBE_ROOTS, 12);
        for (int half = 0; half < 2; half++) {
            Lanes xa = total_a, xb = total_b, xc = total_c, xd = total_d;

            if (md5s)
                add_sines(values, sines, block);
#define EACH(...) if (md5s) LANES_STEP(__VA_ARGS__)
            GROUP(0, be, cf, dg, h, w0, w1, w2, w3, F)
            GROUP(1, h, be, cf, dg, w1, w2, w3, w0, F)
            GROUP(2, dg, h, be, cf, w2, w3, w0, w1, G)
            GROUP(3, cf, dg, h, be, w3, w0, w1, w2, G)
            GROUP(4, be, cf, dg, h, w0, w1, w2, w3, H)
            GROUP(5, h, be, cf, dg, w1, w2, w3, w0, H)
            GROUP(6, dg, h, be, cf, w2, w3, w0, w1, I)
            GROUP(7, cf, dg, h, be, w3, w0, w1, w2, I)
#undef EACH
            ADD(total_, x);
            block += MD5_BLOCK;
            sums += 40;
            further += 32;
            further_roots += 32;
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

/* Bytes of `size` that the block begun takes. */
static size_t
missing(const SHA512 *hash, size_t size)
{
    const size_t at = hash->length % SHA512_BLOCK;
    const size_t count = at == 0 ? 0 : SHA512_BLOCK - at;

    return count < size ? count : size;
}

/* Take what fills the block begun, or less. */
static void
take_sha512(SHA512 *hash, const unsigned char *data, size_t size)
{
    memcpy(hash->rest + hash->length % SHA512_BLOCK, data, size);
    hash->length += size;
    if (size > 0 && hash->length % SHA512_BLOCK == 0)
        advance_sha512(hash->state, hash->rest, 1);
}

static void
update_sha512(SHA512 *hash, const unsigned char *data, size_t size)
{
    size_t count = missing(hash, size);

    take_sha512(hash, data, count);
    data += count;
    size -= count;

    count = size - size % SHA512_BLOCK;
    advance_sha512(hash->state, data, count / SHA512_BLOCK);
    hash->length += count;

    take_sha512(hash, data + count, size - count);
}

/* `whole` has taken the same bytes as `sha`; `part` may be `whole`. */
static void
update_three(SHA512 *sha, MD5 *whole, MD5 *part, const unsigned char *data,
             size_t size)
{
    size_t count = missing(sha, size);
    MD5 *beside;

    take_sha512(sha, data, count);
    update_md5s(whole, part, data, count, 1);
    data += count;
    size -= count;

    count = size - size % SHA512_BLOCK;
    beside = filled(part) == 0 ? part : whole;
    advance_three(sha->state, whole->state, beside->state, data,
                  count / SHA512_BLOCK);
    sha->length += count;
    whole->length += count;
    if (beside != part)
        update_one(part, data, count, 1);
    else if (part != whole)
        part->length += count;

    take_sha512(sha, data + count, size - count);
    update_md5s(whole, part, data + count, size - count, 1);
}

/* End a hash; gives its digest, which is kept in it. */
static const unsigned char *
end_sha512(SHA512 *hash)
{
    static const unsigned char PADDING[SHA512_BLOCK] = {0x80};
    const uint64_t bits[2] = {
        __builtin_bswap64(hash->length >> 61),
        __builtin_bswap64(hash->length << 3)};
    size_t at = hash->length % SHA512_BLOCK, padded = 0;

    if (at > SHA512_LENGTH_AT - 1) {
        padded = SHA512_BLOCK - at;
        take_sha512(hash, PADDING, padded);
        at = 0;
    }
    /* Behind its first byte the padding is zeros. */
    take_sha512(hash, PADDING + (padded > 0), SHA512_LENGTH_AT - at);
    take_sha512(hash, (const unsigned char *)bits, sizeof bits);
    for (int i = 0; i < 8; i++)
        hash->state[i] = __builtin_bswap64(hash->state[i]);
    return (const unsigned char *)hash->state;
}

#endif
