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
 * The hashes of a stream, and of each of its parts, in one pass.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

#if PY_BIG_ENDIAN
#error "words are read in the byte order of MD5, which is little-endian"
#endif

#include "_md5.h"
#include "_sha512.h"

/* Bytes in the longest digest. */
#define MAX_DIGEST 64

/* Which hashes of an object. */
enum { MD5S = 1, SHA512S = 2 };

/* What Pair and VectorPair are, and Triple begins with. The interpreter's lock
 * guards all but the hashes that are busy. */
typedef struct {
    PyObject_HEAD
    MD5 whole;
    MD5 part;
    /* Whether a part has ended: before, the part is the whole. */
    char parted;
    /* Which hashes take a block now. */
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
        begin_md5(&self->whole);
    return (PyObject *)self;
}

/* Whether no other thread updates these hashes; an exception is set if so. */
static int
at_rest(const Pair *self, int hashes)
{
    if (self->busy & hashes) {
        PyErr_SetString(PyExc_RuntimeError,
                        "another thread is updating this hash");
        return 0;
    }
    return 1;
}

PyDoc_STRVAR(update_doc,
"update($self, block, /)\n--\n\n"
"Take a block, without the interpreter's lock.\n\n"
":param block: bytes; anything else that has a buffer is copied first\n"
":raises RuntimeError: another thread updates this hash");

/* The MD5 of the part: in the first one, of the whole. */
static MD5 *
md5_of_part(Pair *self)
{
    return self->parted ? &self->part : &self->whole;
}

static void
pair_take(Pair *self, const unsigned char *data, size_t size)
{
    update_md5s(&self->whole, md5_of_part(self), data, size, self->lanes);
}

static PyObject *
update(Pair *self, PyObject *data, char hashes,
       void (*take)(Pair *, const unsigned char *, size_t))
{
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
            || !at_rest(self, hashes)) {
        Py_XDECREF(block);
        return NULL;
    }
    self->busy |= hashes;
    Py_BEGIN_ALLOW_THREADS
    take(self, (unsigned char *)bytes, (size_t)size);
    Py_END_ALLOW_THREADS
    self->busy &= ~hashes;
    Py_DECREF(block);
    Py_RETURN_NONE;
}

static PyObject *
pair_update(PyObject *self, PyObject *data)
{
    return update((Pair *)self, data, MD5S, pair_take);
}

/* Bytes as text in hex. */
static PyObject *
hex(const unsigned char *bytes, size_t size)
{
    static const char DIGITS[] = "0123456789abcdef";
    char text[2 * MAX_DIGEST];

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = DIGITS[bytes[i] >> 4];
        text[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, (Py_ssize_t)(2 * size));
}

/* The digest of what a hash has taken, which goes on as it was. */
static PyObject *
md5_hexdigest(MD5 hash)
{
    return hex(end_md5(&hash), MD5_DIGEST);
}

PyDoc_STRVAR(hexdigest_doc,
"hexdigest($self, /)\n--\n\n"
"The MD5 in hex of all blocks so far.\n\n"
":raises RuntimeError: another thread updates this hash");

static PyObject *
pair_hexdigest(PyObject *object, PyObject *Py_UNUSED(none))
{
    Pair *self = (Pair *)object;

    return at_rest(self, MD5S) ? md5_hexdigest(self->whole) : NULL;
}

PyDoc_STRVAR(end_part_doc,
"end_part($self, /)\n--\n\n"
"The MD5 in hex of the blocks since the last part's end.\n\n"
":raises RuntimeError: another thread updates this hash");

static PyObject *
pair_end_part(PyObject *object, PyObject *Py_UNUSED(none))
{
    Pair *self = (Pair *)object;
    PyObject *text;

    if (!at_rest(self, MD5S))
        return NULL;
    text = md5_hexdigest(*md5_of_part(self));
    if (text != NULL) {
        begin_md5(&self->part);
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
    .name = "glance_store_bufswift._onepass.Pair",
    .basicsize = sizeof(Pair),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = pair_slots,
};

#ifdef __x86_64__

static PyObject *
vector_pair_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Pair *self = (Pair *)pair_new(type, args, kwargs);

    if (self != NULL)
        self->lanes = 1;
    return (PyObject *)self;
}

PyDoc_STRVAR(vector_pair_doc,
"VectorPair()\n--\n\nA Pair for processors with AVX-512; only there.");

static PyType_Slot vector_pair_slots[] = {
    {Py_tp_doc, (void *)vector_pair_doc},
    {Py_tp_new, vector_pair_new},
    {Py_tp_methods, pair_methods},
    {0, NULL}
};

static PyType_Spec vector_pair_spec = {
    .name = "glance_store_bufswift._onepass.VectorPair",
    .basicsize = sizeof(Pair),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = vector_pair_slots,
};

/* The type Triple: a Pair whose hashes are lanes, and a SHA-512. */
typedef struct {
    Pair pair;
    SHA512 sha512;
} Triple;

static PyObject *
triple_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Triple *self = (Triple *)vector_pair_new(type, args, kwargs);

    if (self != NULL)
        begin_sha512(&self->sha512);
    return (PyObject *)self;
}

static void
sha512_take(Pair *self, const unsigned char *data, size_t size)
{
    update_sha512(&((Triple *)self)->sha512, data, size);
}

static void
triple_take(Pair *self, const unsigned char *data, size_t size)
{
    SHA512 *sha512 = &((Triple *)self)->sha512;

    if (sha512->length == self->whole.length) {
        update_three(sha512, &self->whole, md5_of_part(self), data, size);
    } else {
        sha512_take(self, data, size);
        pair_take(self, data, size);
    }
}

static PyObject *
triple_update(PyObject *self, PyObject *data)
{
    return update((Pair *)self, data, MD5S | SHA512S, triple_take);
}

PyDoc_STRVAR(update_md5s_doc,
"update_md5s($self, block, /)\n--\n\n"
"As update(), but for SHA-512, which another thread may update meanwhile.");

PyDoc_STRVAR(update_sha512_doc,
"update_sha512($self, block, /)\n--\n\n"
"As update(), but for the MD5s, which another thread may update meanwhile.");

static PyObject *
triple_update_sha512(PyObject *self, PyObject *data)
{
    return update((Pair *)self, data, SHA512S, sha512_take);
}

PyDoc_STRVAR(sha512_hexdigest_doc,
"sha512_hexdigest($self, /)\n--\n\n"
"The SHA-512 in hex of all blocks so far.\n\n"
":raises RuntimeError: another thread updates this hash");

static PyObject *
triple_sha512_hexdigest(PyObject *object, PyObject *Py_UNUSED(none))
{
    Triple *self = (Triple *)object;
    SHA512 hash;

    if (!at_rest(&self->pair, SHA512S))
        return NULL;
    hash = self->sha512;
    return hex(end_sha512(&hash), SHA512_DIGEST);
}

static PyMethodDef triple_methods[] = {
    {"update", triple_update, METH_O, update_doc},
    {"update_md5s", pair_update, METH_O, update_md5s_doc},
    {"update_sha512", triple_update_sha512, METH_O, update_sha512_doc},
    {"hexdigest", pair_hexdigest, METH_NOARGS, hexdigest_doc},
    {"end_part", pair_end_part, METH_NOARGS, end_part_doc},
    {"sha512_hexdigest", triple_sha512_hexdigest, METH_NOARGS,
     sha512_hexdigest_doc},
    {NULL, NULL, 0, NULL}
};

PyDoc_STRVAR(triple_doc,
"Triple()\n--\n\n"
"A Pair, and the stream's SHA-512, for processors with AVX-512; only there.");

static PyType_Slot triple_slots[] = {
    {Py_tp_doc, (void *)triple_doc},
    {Py_tp_new, triple_new},
    {Py_tp_methods, triple_methods},
    {0, NULL}
};

static PyType_Spec triple_spec = {
    .name = "glance_store_bufswift._onepass.Triple",
    .basicsize = sizeof(Triple),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = triple_slots,
};

#endif

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
#ifdef __x86_64__
    if (has_avx512() && (add_type(module, &vector_pair_spec) < 0
                         || add_type(module, &triple_spec) < 0))
        return -1;
#endif
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL}
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_onepass",
    .m_doc = "The accelerator of hashes.py.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC
PyInit__onepass(void)
{
    return PyModuleDef_Init(&module_def);
}
