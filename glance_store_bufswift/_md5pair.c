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
 * The MD5 (RFC 1321) of a stream, and of each of its parts, in one pass.
 *
 * Each step of MD5 waits for the one before it, so that a processor is idle
 * for half of the time. Two states that take the same words, their steps in
 * turn, take little longer than one. As two lanes of a vector they take less
 * than one where a single instruction rotates a vector, and a single one
 * computes any function of three: with AVX-512.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#if PY_BIG_ENDIAN
#error "words are read in the byte order of MD5, which is little-endian"
#endif

#define BLOCK 64
/* Where the length in bits stands in the last block, RFC 1321, 3.2. */
#define LENGTH_AT (BLOCK - 8)
#define DIGEST 16

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
    unsigned char rest[BLOCK];
} Hash;

static void
begin(Hash *hash)
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

/* Which word step i takes, by round. */
#define WORD_F(i) ((i) % 16)
#define WORD_G(i) ((5 * (i) + 1) % 16)
#define WORD_H(i) ((3 * (i) + 5) % 16)
#define WORD_I(i) (7 * (i) % 16)

#define FOUR_STEPS(f, i, s1, s2, s3, s4) \
    EACH(f, a, b, c, d, WORD_##f(i), i, s1) \
    EACH(f, d, a, b, c, WORD_##f(i + 1), i + 1, s2) \
    EACH(f, c, d, a, b, WORD_##f(i + 2), i + 2, s3) \
    EACH(f, b, c, d, a, WORD_##f(i + 3), i + 3, s4)
#define ROUND(f, i, s1, s2, s3, s4) \
    FOUR_STEPS(f, i, s1, s2, s3, s4) \
    FOUR_STEPS(f, i + 4, s1, s2, s3, s4) \
    FOUR_STEPS(f, i + 8, s1, s2, s3, s4) \
    FOUR_STEPS(f, i + 12, s1, s2, s3, s4)
/* The steps of a block; EACH() is what the loop around them makes of one. */
#define ALL_STEPS \
    ROUND(F, 0, 7, 12, 17, 22) \
    ROUND(G, 16, 5, 9, 14, 20) \
    ROUND(H, 32, 4, 11, 16, 23) \
    ROUND(I, 48, 6, 10, 15, 21)

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

ALONE static void
advance_one(uint32_t state[4], const unsigned char *block, size_t blocks)
{
    LOAD(total_, state);

    for (; blocks > 0; blocks--, block += BLOCK) {
        COPY(x, total_);
#define EACH(f, a, b, c, d, number, i, shift) \
        STEP(f, x##a, x##b, x##c, x##d, SINES[i] + word(block, number), shift);
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

    for (; blocks > 0; blocks--, block += BLOCK) {
        COPY(x, one_);
        COPY(y, other_);
#define EACH(f, a, b, c, d, number, i, shift) { \
        const uint32_t value = SINES[i] + word(block, number); \
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

/* Four numbers, of which two are used. */
typedef uint32_t Lanes __attribute__((vector_size(16)));

#define BOTH(value) {value, value, value, value}
#define LOAD_LANES(x, one, other) \
    Lanes x##a = {one[0], other[0]}, x##b = {one[1], other[1]}, \
          x##c = {one[2], other[2]}, x##d = {one[3], other[3]}
#define STORE_LANE(x, state, lane) \
    (state[0] = x##a[lane], state[1] = x##b[lane], \
     state[2] = x##c[lane], state[3] = x##d[lane])

/* As advance_two(); both states may be the same one. */
__attribute__((target("avx512vl"))) ALONE static void
advance_lanes(uint32_t one[4], uint32_t other[4], const unsigned char *block,
              size_t blocks)
{
    LOAD_LANES(total_, one, other);

    for (; blocks > 0; blocks--, block += BLOCK) {
        Lanes xa = total_a, xb = total_b, xc = total_c, xd = total_d;
#define EACH(f, a, b, c, d, number, i, shift) { \
        const uint32_t value = SINES[i] + word(block, number); \
        const Lanes values = BOTH(value); \
        STEP(f, x##a, x##b, x##c, x##d, values, shift); }
        ALL_STEPS
#undef EACH
        ADD(total_, x);
    }
    STORE_LANE(total_, one, 0);
    STORE_LANE(total_, other, 1);
}

static int
has_lanes(void)
{
    return __builtin_cpu_supports("avx512vl") != 0;
}

#else

#define advance_lanes advance_two

static int
has_lanes(void)
{
    return 0;
}

#endif

static size_t
filled(const Hash *hash)
{
    return hash->length % BLOCK;
}

/* Take up to `size` bytes to fill the block begun; gives how many. */
static size_t
fill(Hash *hash, const unsigned char *data, size_t size)
{
    size_t at = filled(hash), count = BLOCK - at;

    if (at == 0)
        return 0;
    if (count > size)
        count = size;
    memcpy(hash->rest + at, data, count);
    hash->length += count;
    if (at + count == BLOCK)
        advance_one(hash->state, hash->rest, 1);
    return count;
}

/* Keep bytes that fill no block; none is begun. */
static void
keep(Hash *hash, const unsigned char *data, size_t size)
{
    memcpy(hash->rest, data, size);
    hash->length += size;
}

static void
update_one(Hash *hash, const unsigned char *data, size_t size, int lanes)
{
    size_t count = fill(hash, data, size), blocks;

    data += count;
    size -= count;
    blocks = size / BLOCK;
    if (lanes)
        advance_lanes(hash->state, hash->state, data, blocks);
    else
        advance_one(hash->state, data, blocks);
    hash->length += blocks * BLOCK;
    keep(hash, data + blocks * BLOCK, size % BLOCK);
}

static void
update_two(Hash *one, Hash *other, const unsigned char *data, size_t size,
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
    blocks = size / BLOCK;
    (lanes ? advance_lanes : advance_two)(one->state, other->state, data,
                                          blocks);
    one->length += blocks * BLOCK;
    other->length += blocks * BLOCK;
    keep(one, data + blocks * BLOCK, size % BLOCK);
    keep(other, data + blocks * BLOCK, size % BLOCK);
}

/* The digest of what a hash has taken, which goes on as it was. */
static PyObject *
hexdigest(Hash hash)
{
    static const unsigned char PADDING[BLOCK] = {0x80};
    static const char DIGITS[] = "0123456789abcdef";
    const uint64_t bits = hash.length * 8;
    const size_t at = filled(&hash);
    unsigned char digest[DIGEST], last[sizeof bits];
    char text[2 * DIGEST];

    memcpy(last, &bits, sizeof bits);
    update_one(&hash, PADDING,
               (at < LENGTH_AT ? LENGTH_AT : LENGTH_AT + BLOCK) - at, 0);
    update_one(&hash, last, sizeof last, 0);
    memcpy(digest, hash.state, DIGEST);
    for (int i = 0; i < DIGEST; i++) {
        text[2 * i] = DIGITS[digest[i] >> 4];
        text[2 * i + 1] = DIGITS[digest[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, sizeof text);
}

/* The types Pair and VectorPair. The interpreter's lock guards all but the
 * hashes of one that is busy. */
typedef struct {
    PyObject_HEAD
    Hash whole;
    Hash part;
    /* Whether a part has ended: before, the part is the whole. */
    char parted;
    char busy;
    /* Whether its hashes are lanes of a vector. */
    char lanes;
} Pair;

static PyObject *
pair_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Pair *self;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Pair", names))
        return NULL;
    self = (Pair *)allocate(type, 0);
    if (self != NULL)
        begin(&self->whole);
    return (PyObject *)self;
}

static PyObject *
vector_pair_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Pair *self = (Pair *)pair_new(type, args, kwargs);

    if (self != NULL)
        self->lanes = 1;
    return (PyObject *)self;
}

/* Whether no other thread is within update(); an exception is set if so. */
static int
at_rest(const Pair *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError,
                        "another thread is updating this Pair");
    return !self->busy;
}

PyDoc_STRVAR(update_doc,
"update($self, block, /)\n--\n\n"
"Take a block, without the interpreter's lock.\n\n"
":param block: bytes; anything else that has a buffer is copied first\n"
":raises RuntimeError: another thread is in update()");

static PyObject *
pair_update(PyObject *object, PyObject *data)
{
    Pair *self = (Pair *)object;
    PyObject *block;
    char *bytes;
    Py_ssize_t size;

    if (PyBytes_Check(data)) {
        Py_INCREF(data);
        block = data;
    } else {
        PyObject *view = PyMemoryView_FromObject(data);
        if (view == NULL)
            return NULL;
        block = PyBytes_FromObject(view);
        Py_DECREF(view);
    }
    if (block == NULL || PyBytes_AsStringAndSize(block, &bytes, &size) < 0
            || !at_rest(self)) {
        Py_XDECREF(block);
        return NULL;
    }
    self->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    if (self->parted)
        update_two(&self->whole, &self->part, (unsigned char *)bytes,
                   (size_t)size, self->lanes);
    else
        update_one(&self->whole, (unsigned char *)bytes, (size_t)size,
                   self->lanes);
    Py_END_ALLOW_THREADS
    self->busy = 0;
    Py_DECREF(block);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(hexdigest_doc,
"hexdigest($self, /)\n--\n\n"
"The MD5 in hex of all blocks so far.\n\n"
":raises RuntimeError: another thread is in update()");

static PyObject *
pair_hexdigest(PyObject *object, PyObject *Py_UNUSED(none))
{
    Pair *self = (Pair *)object;

    return at_rest(self) ? hexdigest(self->whole) : NULL;
}

PyDoc_STRVAR(end_part_doc,
"end_part($self, /)\n--\n\n"
"The MD5 in hex of the blocks since the last part's end.\n\n"
":raises RuntimeError: another thread is in update()");

static PyObject *
pair_end_part(PyObject *object, PyObject *Py_UNUSED(none))
{
    Pair *self = (Pair *)object;
    PyObject *text;

    if (!at_rest(self))
        return NULL;
    text = hexdigest(self->parted ? self->part : self->whole);
    if (text != NULL) {
        begin(&self->part);
        self->parted = 1;
    }
    return text;
}

static PyMethodDef pair_methods[] = {
    {"update", pair_update, METH_O, update_doc},
    {"hexdigest", pair_hexdigest, METH_NOARGS, hexdigest_doc},
    {"end_part", pair_end_part, METH_NOARGS, end_part_doc},
    {NULL, NULL, 0, NULL}
};

PyDoc_STRVAR(pair_doc,
"Pair()\n--\n\nThe MD5 of a stream, and of its parts, in one pass.");

static PyType_Slot pair_slots[] = {
    {Py_tp_doc, (void *)pair_doc},
    {Py_tp_new, pair_new},
    {Py_tp_methods, pair_methods},
    {0, NULL}
};

static PyType_Spec pair_spec = {
    .name = "glance_store_bufswift._md5pair.Pair",
    .basicsize = sizeof(Pair),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = pair_slots,
};

PyDoc_STRVAR(vector_pair_doc,
"VectorPair()\n--\n\nA Pair for processors with AVX-512; only there.");

static PyType_Slot vector_pair_slots[] = {
    {Py_tp_doc, (void *)vector_pair_doc},
    {Py_tp_new, vector_pair_new},
    {Py_tp_methods, pair_methods},
    {0, NULL}
};

static PyType_Spec vector_pair_spec = {
    .name = "glance_store_bufswift._md5pair.VectorPair",
    .basicsize = sizeof(Pair),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = vector_pair_slots,
};

static int
add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int failed = type == NULL
        || PyModule_AddType(module, (PyTypeObject *)type) < 0;

    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static int
module_exec(PyObject *module)
{
    if (add_type(module, &pair_spec) < 0)
        return -1;
    return has_lanes() ? add_type(module, &vector_pair_spec) : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL}
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_md5pair",
    .m_doc = "The accelerator of md5.py.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__md5pair(void)
{
    return PyModuleDef_Init(&module_def);
}
