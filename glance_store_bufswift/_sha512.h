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
 */

#ifdef __x86_64__

#include "_sha512_steps.h"

#define SHA512_DIGEST 64
/* Where the length in bits stands in the last block, FIPS 180-4, 5.1.2. */
#define SHA512_LENGTH_AT (SHA512_BLOCK - 16)

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
