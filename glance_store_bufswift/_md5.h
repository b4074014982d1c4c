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
 * MD5 (RFC 1321), of one stream or of two that take the same bytes.
 *
 * Each step of MD5 waits for the one before it, so that a processor is idle
 * for half of the time. Two states that take the same words, their steps in
 * turn, take little longer than one. As two lanes of a vector they take as long
 * for a third of the instructions, where a single one rotates a vector, and a
 * single one computes any function of three: with AVX-512. That leaves room for
 * SHA-512, and counts beside a busy hyperthread.
 */

#define MD5_BLOCK 64
/* Where the length in bits stands in the last block, RFC 1321, 3.2. */
#define MD5_LENGTH_AT (MD5_BLOCK - 8)
#define MD5_DIGEST 16

/* RFC 1321, 3.4: floor(2^32 * |sin(i)|), i = 1 to 64, in radians. */
static const uint32_t SINES[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
    0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
    0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
    0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
    0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
    0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
    0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
    0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/* A hash under way: the state, and the bytes that fill no block yet. */
typedef struct {
    uint32_t state[4];
    uint64_t length;
    unsigned char rest[MD5_BLOCK];
} MD5;

static void
begin_md5(MD5 *hash)
{
    /* RFC 1321, 3.3. */
    static const uint32_t FIRST[4] = {
        0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

    memcpy(hash->state, FIRST, sizeof FIRST);
    hash->length = 0;
}

static uint32_t
word(const unsigned char *block, int number)
{
    uint32_t value;

    memcpy(&value, block + 4 * number, sizeof value);
    return value;
}

/* Of a number, or of each in a vector. */
#define ROTATE(value, bits) ((value) << (bits) | (value) >> (32 - (bits)))

/*
 * RFC 1321, 3.4: what each round's steps add to `a`. The two halves of G have
 * no bit in common: to add them one by one is as good as "or", and only the
 * second one has to wait for b, which the step before has made.
 */
#define F(a, b, c, d) a += d ^ (b & (c ^ d))
#define G(a, b, c, d) a += c & ~d; a += b & d
#define H(a, b, c, d) a += b ^ (c ^ d)
#define I(a, b, c, d) a += c ^ (b | ~d)

#define STEP(f, a, b, c, d, value, shift) \
    do { \
        a += value; \
        f(a, b, c, d); \
        a = b + ROTATE(a, shift); \
    } while (0)

/* Which word step i takes. */
#define NUMBER(i) \
    ((i) < 16 ? (i) : (i) < 32 ? (5 * (i) + 1) % 16 \
     : (i) < 48 ? (3 * (i) + 5) % 16 : 7 * (i) % 16)

/* How far each round's steps rotate, four in turn. */
#define SHIFTS_F 7, 12, 17, 22
#define SHIFTS_G 5, 9, 14, 20
#define SHIFTS_H 4, 11, 16, 23
#define SHIFTS_I 6, 10, 15, 21

/* EACH() is what the loop around them makes of a step. */
#define FOUR_STEPS_BY(f, i, s1, s2, s3, s4) \
    EACH(f, a, b, c, d, i, s1) \
    EACH(f, d, a, b, c, i + 1, s2) \
    EACH(f, c, d, a, b, i + 2, s3) \
    EACH(f, b, c, d, a, i + 3, s4)
/* A macro of its own, as SHIFTS_F is one argument before it is replaced. */
#define FOUR_STEPS_(f, i, shifts) FOUR_STEPS_BY(f, i, shifts)
#define FOUR_STEPS(f, i) FOUR_STEPS_(f, i, SHIFTS_##f)
#define ROUND(f, i) \
    FOUR_STEPS(f, i) FOUR_STEPS(f, i + 4) \
    FOUR_STEPS(f, i + 8) FOUR_STEPS(f, i + 12)
#define ALL_STEPS ROUND(F, 0) ROUND(G, 16) ROUND(H, 32) ROUND(I, 48)

/* A state in variables of its own, whose names begin with `x`: compilers keep
 * them in registers, which they do not with those of an array. */
#define LOAD(x, state) \
    uint32_t x##a = state[0], x##b = state[1], x##c = state[2], x##d = state[3]
#define COPY(x, y) \
    uint32_t x##a = y##a, x##b = y##b, x##c = y##c, x##d = y##d
#define ADD(x, y) (x##a += y##a, x##b += y##b, x##c += y##c, x##d += y##d)
#define STORE(x, state) \
    (state[0] = x##a, state[1] = x##b, state[2] = x##c, state[3] = x##d)

/* A loop is a function by itself: the variables of one that it were inlined
 * into would take its registers. */
#define ALONE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

ALONE static void
advance_one(uint32_t state[4], const unsigned char *block, size_t blocks)
{
    LOAD(total_, state);

    for (; blocks > 0; blocks--, block += MD5_BLOCK) {
        COPY(x, total_);
#define EACH(f, a, b, c, d, i, shift) \
        STEP(f, x##a, x##b, x##c, x##d, SINES[i] + word(block, NUMBER(i)), \
             shift);
        ALL_STEPS
#undef EACH
        ADD(total_, x);
    }
    STORE(total_, state);
}

ALONE static void
advance_two(uint32_t one[4], uint32_t other[4], const unsigned char *block,
            size_t blocks)
{
    LOAD(one_, one);
    LOAD(other_, other);

    for (; blocks > 0; blocks--, block += MD5_BLOCK) {
        COPY(x, one_);
        COPY(y, other_);
#define EACH(f, a, b, c, d, i, shift) { \
        const uint32_t value = SINES[i] + word(block, NUMBER(i)); \
        STEP(f, x##a, x##b, x##c, x##d, value, shift); \
        STEP(f, y##a, y##b, y##c, y##d, value, shift); }
        ALL_STEPS
#undef EACH
        ADD(one_, x);
        ADD(other_, y);
    }
    STORE(one_, one);
    STORE(other_, other);
}

#ifdef __x86_64__

#include <immintrin.h>

#define WITH_AVX512 __attribute__((target("avx512vl")))

/* Whether this processor has what the loops with AVX-512 are made of. */
static int
has_avx512(void)
{
    return __builtin_cpu_supports("avx512vl");
}

/* Four numbers, of which two are used. */
typedef uint32_t Lanes __attribute__((vector_size(16)));

#define LOAD_LANES(x, one, other) \
    Lanes x##a = {one[0], other[0]}, x##b = {one[1], other[1]}, \
          x##c = {one[2], other[2]}, x##d = {one[3], other[3]}
#define STORE_LANE(x, state, lane) \
    (state[0] = x##a[lane], state[1] = x##b[lane], \
     state[2] = x##c[lane], state[3] = x##d[lane])

/* A number for each step: by round, and in it by the word that it takes. In
 * that order one instruction adds eight sines to eight words. */
typedef uint32_t ByWord[4][16];
typedef uint32_t Eight __attribute__((vector_size(32), aligned(1), may_alias));
#define OF_STEP(values, i) values[(i) / 16 % 4][NUMBER(i)]

static void
sort_sines(ByWord sines)
{
#define EACH(f, a, b, c, d, i, shift) OF_STEP(sines, i) = SINES[i];
    ALL_STEPS
#undef EACH
}

/* What the steps of a block add that waits for no other step. */
INLINE WITH_AVX512 void
add_sines(ByWord values, ByWord sines, const unsigned char *block)
{
    const Eight *const words = (const Eight *)block;

    for (int round = 0; round < 4; round++) {
        Eight *const to = (Eight *)values[round];
        const Eight *const from = (Eight *)sines[round];

        to[0] = from[0] + words[0];
        to[1] = from[1] + words[1];
    }
}

/* RFC 1321, 3.4: what each combination of b, c and d gives. */
#define LANES_F 0xca
#define LANES_G 0xe4
#define LANES_H 0x96
#define LANES_I 0x39
#define LANES_FUNCTION(f, b, c, d) \
    (Lanes)_mm_ternarylogic_epi32( \
        (__m128i)b, (__m128i)c, (__m128i)d, LANES_##f)

/* What waits for b, which the step before has made, takes the time. So the
 * function replaces a copy of b: on AMD's Zen 4 a result comes one cycle after
 * the operand that it replaces, two after the others, and a copy takes none.
 * And the value is added before; compilers would add it to the function. */
#define LANES_STEP(f, a, b, c, d, i, shift) { \
        x##a += OF_STEP(values, i); \
        ADDED(x##a); \
        x##a += LANES_FUNCTION(f, x##b, x##c, x##d); \
        x##a = x##b + ROTATE(x##a, shift); }
#define ADDED(sum) __asm__("" : "+v"(sum))

/* As advance_two(); both states may be the same one. */
WITH_AVX512 ALONE static void
advance_lanes(uint32_t one[4], uint32_t other[4], const unsigned char *block,
              size_t blocks)
{
    ByWord sines, values;
    LOAD_LANES(total_, one, other);

    sort_sines(sines);
    for (; blocks > 0; blocks--, block += MD5_BLOCK) {
        Lanes xa = total_a, xb = total_b, xc = total_c, xd = total_d;

        add_sines(values, sines, block);
#define EACH LANES_STEP
        ALL_STEPS
#undef EACH
        ADD(total_, x);
    }
    STORE_LANE(total_, one, 0);
    STORE_LANE(total_, other, 1);
}

#else

#define advance_lanes advance_two

#endif

static size_t
filled(const MD5 *hash)
{
    return hash->length % MD5_BLOCK;
}

/* Take up to `size` bytes to fill the block begun; gives how many. */
static size_t
fill(MD5 *hash, const unsigned char *data, size_t size)
{
    size_t at = filled(hash), count = MD5_BLOCK - at;

    if (at == 0)
        return 0;
    if (count > size)
        count = size;
    memcpy(hash->rest + at, data, count);
    hash->length += count;
    if (at + count == MD5_BLOCK)
        advance_one(hash->state, hash->rest, 1);
    return count;
}

/* Keep bytes that fill no block; none is begun. */
static void
keep(MD5 *hash, const unsigned char *data, size_t size)
{
    memcpy(hash->rest, data, size);
    hash->length += size;
}

static void
update_one(MD5 *hash, const unsigned char *data, size_t size, int lanes)
{
    size_t count = fill(hash, data, size), blocks;

    data += count;
    size -= count;
    blocks = size / MD5_BLOCK;
    if (lanes)
        advance_lanes(hash->state, hash->state, data, blocks);
    else
        advance_one(hash->state, data, blocks);
    hash->length += blocks * MD5_BLOCK;
    keep(hash, data + blocks * MD5_BLOCK, size % MD5_BLOCK);
}

static void
update_two(MD5 *one, MD5 *other, const unsigned char *data, size_t size,
           int lanes)
{
    size_t count, blocks;

    if (filled(one) != filled(other)) {
        update_one(one, data, size, lanes);
        update_one(other, data, size, lanes);
        return;
    }
    count = fill(one, data, size);
    fill(other, data, size);
    data += count;
    size -= count;
    blocks = size / MD5_BLOCK;
    (lanes ? advance_lanes : advance_two)(one->state, other->state, data,
                                          blocks);
    one->length += blocks * MD5_BLOCK;
    other->length += blocks * MD5_BLOCK;
    keep(one, data + blocks * MD5_BLOCK, size % MD5_BLOCK);
    keep(other, data + blocks * MD5_BLOCK, size % MD5_BLOCK);
}

/* Both take the same bytes; they may be the same one. */
static void
update_md5s(MD5 *one, MD5 *other, const unsigned char *data, size_t size,
            int lanes)
{
    if (one == other)
        update_one(one, data, size, lanes);
    else
        update_two(one, other, data, size, lanes);
}

/* End a hash; gives its digest, which is kept in it. */
static const unsigned char *
end_md5(MD5 *hash)
{
    static const unsigned char PADDING[MD5_BLOCK] = {0x80};
    const uint64_t bits = hash->length * 8;
    const size_t at = filled(hash);

    update_one(hash, PADDING,
               (at < MD5_LENGTH_AT ? MD5_LENGTH_AT
                                   : MD5_LENGTH_AT + MD5_BLOCK) - at, 0);
    update_one(hash, (const unsigned char *)&bits, sizeof bits, 0);
    return (const unsigned char *)hash->state;
}
