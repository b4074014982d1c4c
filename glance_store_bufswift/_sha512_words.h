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
 * The message schedule of SHA-512, of two blocks at a time.
 *
 * Each word after a block's own sixteen needs the last one but one. So a vector
 * takes no more than two new words of a block: two late ones, from 48 on, and
 * beside them two early ones, from 16 on, of the next block.
 */

#define SHA512_BLOCK 128

/* Where a block's early words and its late ones begin. */
#define EARLY_WORDS 16
#define LATE_WORDS 48
#define ALL_WORDS 80

/* FIPS 180-4, 4.2.3: of the cube roots of the first eighty primes. */
static const uint64_t CUBE_ROOTS[ALL_WORDS] = {
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

/* Four words, the first one lowest: of one block, or two of each. */
typedef __m256i Words;

/* The roots for two late words and two early ones, in turn. */
static void
sort_roots(uint64_t roots[2 * (ALL_WORDS - LATE_WORDS)])
{
    for (int i = 0; i < ALL_WORDS - LATE_WORDS; i++) {
        uint64_t *const to = roots + i / 2 * 4 + i % 2;

        to[0] = CUBE_ROOTS[LATE_WORDS + i];
        to[2] = CUBE_ROOTS[EARLY_WORDS + i];
    }
}

/* A block's own words from `number` on; they are big-endian. */
INLINE WITH_AVX512 Words
own_words(const unsigned char *block, int number)
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

#define SECOND_THEN_FIRST 5

/* Of each half, the second word of one and the first word of the other. */
INLINE WITH_AVX512 Words
between(Words one, Words other)
{
    return _mm256_castpd_si256(_mm256_shuffle_pd(
        _mm256_castsi256_pd(one), _mm256_castsi256_pd(other),
        SECOND_THEN_FIRST));
}

/* FIPS 180-4, 6.4.2, step 1: the words after w7. */
INLINE WITH_AVX512 Words
next_words(Words w0, Words w1, Words w4, Words w5, Words w7)
{
    return _mm256_add_epi64(
        _mm256_add_epi64(
            _mm256_add_epi64(w0, between(w4, w5)),
            SIGMA(between(w0, w1), 1, 8, 7)),
        SIGMA(w7, 19, 61, 6));
}

/* FIPS 180-4, 6.4.2, step 3: what of T1 is known before the step. */
INLINE WITH_AVX512 void
add_own_roots(uint64_t *sums, Words words, int number)
{
    _mm256_store_si256((Words *)(sums + number), _mm256_add_epi64(
        words, _mm256_loadu_si256((const Words *)(CUBE_ROOTS + number))));
}

/* The same for two late words and two early ones. */
INLINE WITH_AVX512 void
add_roots(uint64_t *late, uint64_t *early, Words words, const uint64_t *roots)
{
    const Words sums = _mm256_add_epi64(
        words, _mm256_load_si256((const Words *)roots));

    _mm_store_si128((__m128i *)late, _mm256_castsi256_si128(sums));
    _mm_store_si128((__m128i *)early, _mm256_extracti128_si256(sums, 1));
}

/* Two late words and two early ones, the nth of eight times as many. */
#define FURTHER(n, w0, w1, w4, w5, w7) \
    w0 = next_words(w0, w1, w4, w5, w7); \
    add_roots(late + 2 * n, early + 2 * n, w0, roots + 4 * n);

#define ALL_FURTHER \
    FURTHER(0, w0, w1, w4, w5, w7) FURTHER(1, w1, w2, w5, w6, w0) \
    FURTHER(2, w2, w3, w6, w7, w1) FURTHER(3, w3, w4, w7, w0, w2) \
    FURTHER(4, w4, w5, w0, w1, w3) FURTHER(5, w5, w6, w1, w2, w4) \
    FURTHER(6, w6, w7, w2, w3, w5) FURTHER(7, w7, w0, w3, w4, w6)

#define UPPER_THEN_LOWER 0x21
#define UPPER_THEN_UPPER 0x31

#define OWN_WORDS(sums, block, number, one, other) { \
        const Words own = own_words(block, number); \
        add_own_roots(sums, own, number); \
        one = _mm256_permute2x128_si256(one, own, UPPER_THEN_LOWER); \
        other = _mm256_permute2x128_si256(other, own, UPPER_THEN_UPPER); }

/* The block that was next is now at hand: its early words move to the lower
 * half. The own words of the one after it take the upper half. */
#define NEXT_BLOCK(sums, block) \
    OWN_WORDS(sums, block, 0, w0, w1) \
    OWN_WORDS(sums, block, 4, w2, w3) \
    OWN_WORDS(sums, block, 8, w4, w5) \
    OWN_WORDS(sums, block, 12, w6, w7)
