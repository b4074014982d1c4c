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
 * rounds of SHA-512 fill that time: they work on numbers, MD5 on vectors.
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
    return __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("bmi2");
}

#define WITH_AVX512 __attribute__((target("avx512vl,bmi2")))

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
#define SIGMA(words, rotate, more, shift) \
    _mm256_ternarylogic_epi64( \
        _mm256_ror_epi64(words, rotate), _mm256_ror_epi64(words, more), \
        _mm256_srli_epi64(words, shift), XOR_OF_THREE)
#define XOR_OF_THREE 0x96

/* FIPS 180-4, 6.4.2: the four words after w0 to w3. The last two of them need
 * the first two. */
INLINE WITH_AVX512 Words
next_words(Words w0, Words w1, Words w2, Words w3)
{
    const Words second = _mm256_alignr_epi64(w1, w0, 1);
    const Words tenth = _mm256_alignr_epi64(w3, w2, 1);
    const Words sum = _mm256_add_epi64(
        _mm256_add_epi64(w0, tenth), SIGMA(second, 1, 8, 7));
    const Words last = _mm256_permute4x64_epi64(w3, 0xee);
    const Words two = _mm256_add_epi64(sum, SIGMA(last, 19, 61, 6));
    const Words more = _mm256_permute4x64_epi64(
        SIGMA(two, 19, 61, 6), 0x44);

    return _mm256_blend_epi32(two, _mm256_add_epi64(sum, more), 0xf0);
}

#define ADD_ROOTS(to, words, roots, number) \
    _mm256_store_si256((Words *)(to + (number)), _mm256_add_epi64( \
        words, _mm256_loadu_si256((const Words *)(roots + (number)))))

/* FIPS 180-4, 4.1.3: the large sigmas. */
#define ROTATE_RIGHT(value, bits) ((value) >> (bits) | (value) << (64 - (bits)))
#define SUM(value, one, other, third) \
    (ROTATE_RIGHT(value, one) ^ ROTATE_RIGHT(value, other) \
     ^ ROTATE_RIGHT(value, third))

/* FIPS 180-4, 6.4.2, step 3. The majority of a, b and c takes what of b and c
 * differs, which was a and b in the step before. */
#define SHA512_STEP(a, b, c, d, e, f, g, h, i) \
    do { \
        const uint64_t ab = a ^ b; \
        h += sums[i] + ((e & (f ^ g)) ^ g) + SUM(e, 14, 18, 41); \
        d += h; \
        h += ((ab & bc) ^ b) + SUM(a, 28, 34, 39); \
        bc = ab; \
    } while (0);

/* A sixteenth of a block: four further words, five steps of SHA-512, and eight
 * of MD5. */
#define GROUP(n, a, b, c, d, e, f, g, h, w0, w1, w2, w3, md5) \
    w0 = next_words(w0, w1, w2, w3); \
    ADD_ROOTS(further, w0, further_roots, 4 * n); \
    SHA512_STEP(a, b, c, d, e, f, g, h, 5 * n) \
    SHA512_STEP(h, a, b, c, d, e, f, g, 5 * n + 1) \
    FOUR_STEPS(md5, 8 * n) \
    SHA512_STEP(g, h, a, b, c, d, e, f, 5 * n + 2) \
    SHA512_STEP(f, g, h, a, b, c, d, e, 5 * n + 3) \
    FOUR_STEPS(md5, 8 * n + 4) \
    SHA512_STEP(e, f, g, h, a, b, c, d, 5 * n + 4)

/* Blocks of SHA-512, and with `md5s` twice as many of MD5.
 *
 * A loop over halves is as fast as all in a row, and half the code. */
INLINE WITH_AVX512 void
advance_with(int md5s, uint64_t state[8], uint32_t one[4], uint32_t other[4],
             const unsigned char *block, size_t blocks)
{
    ByWord sines, values;
    LOAD_LANES(total_, one, other);

    sort_sines(sines);
    for (; blocks > 0; blocks--) {
        _Alignas(32) uint64_t all_sums[80];
        uint64_t *sums = all_sums, *further = all_sums + 16;
        const uint64_t *further_roots = CUBE_ROOTS + 16;
        uint64_t a = state[0], b = state[1], c = state[2], d = state[3],
                 e = state[4], f = state[5], g = state[6], h = state[7];
        uint64_t bc = b ^ c;
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
            GROUP(0, a, b, c, d, e, f, g, h, w0, w1, w2, w3, F)
            GROUP(1, d, e, f, g, h, a, b, c, w1, w2, w3, w0, F)
            GROUP(2, g, h, a, b, c, d, e, f, w2, w3, w0, w1, G)
            GROUP(3, b, c, d, e, f, g, h, a, w3, w0, w1, w2, G)
            GROUP(4, e, f, g, h, a, b, c, d, w0, w1, w2, w3, H)
            GROUP(5, h, a, b, c, d, e, f, g, w1, w2, w3, w0, H)
            GROUP(6, c, d, e, f, g, h, a, b, w2, w3, w0, w1, I)
            GROUP(7, f, g, h, a, b, c, d, e, w3, w0, w1, w2, I)
#undef EACH
            ADD(total_, x);
            block += MD5_BLOCK;
            sums += 40;
            further += 32;
            further_roots += 32;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;
    }
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
