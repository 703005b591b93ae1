# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which model a service has: its revision, and a checksum of its weights, by the files that lie on the cluster.

Hugging Face's cache and Ollama's store name files after their SHA-256, so that nothing is read. Other files have theirs
beside them (FILE.sha256, or what `hf download --local-dir` notes), are read when they are small, or are sampled.
Sources: huggingface_hub, "Understand caching"; Ollama, docs/import.md and its store's manifests.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import json
import os
import re
import threading

CACHE, STORE, FILE, DIRECTORY = "huggingface", "ollama", "file", "directory"
READ_WHOLE_BYTES = 64 << 20
SAMPLES, SAMPLE_BYTES = 16, 1 << 16
MOST_FILES = 1000
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".ggml", ".pt", ".pth", ".onnx", ".engine", ".plan", ".msgpack", ".h5")
_PART = re.compile(r"-\d{5}-of-(\d{5}\.gguf)$")


class Reader(threading.Thread):
    """Looks at the models (list of dict: `name`, `layout`, `path`) of a service; a slow file system keeps nobody."""

    def __init__(self, models):
        super().__init__(name="models")
        self.daemon = True
        self.models = models
        self.done = []

    def run(self):
        """One after another."""
        for model in self.models:
            self.done.append(describe(model))

    def found(self, wait_s=2.0):
        """What is known within `wait_s` (list of dict, see describe); the others are said to be not read."""
        self.join(wait_s)
        done = list(self.done)
        return done + [_unknown(model, "not read before the service ended") for model in self.models[len(done) :]]


def describe(model):
    """What a model is (dict): name, layout, path, revision, files, bytes, weights_sha256, weights_how, missing.

    model: `name`, `layout` (huggingface: `path` is HF_HOME; ollama: OLLAMA_MODELS; file; directory) and `path`.
    weights_sha256 of several files is that of their lines `SHA-256  NAME`, as sha256sum prints them, by name.
    weights_how: `names` (the store's), `beside` (checksums beside the files), `read`, or `sampled`: then it is made of
    each file's size and of 16 pieces of 64 KiB, which is not the checksum of the files.
    """
    try:
        return _LAYOUTS[model.get("layout")](model)
    except KeyError:
        return _unknown(model, "the service type names the layout %r" % model.get("layout"))
    except (OSError, ValueError, AttributeError, TypeError) as e:
        return _unknown(model, "%s: %s" % (getattr(e, "filename", None) or model.get("path"), explain(e)))


def explain(error):
    """An error in words (str)."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _unknown(model, reason):
    found = {name: model.get(name) for name in ("name", "layout", "path")}
    unknown = ("revision", "files", "bytes", "weights_sha256", "weights_how")
    return dict(found, missing=dict.fromkeys(unknown, reason), **dict.fromkeys(unknown))


def _known(model, sizes, digests, how, *, revision=None, why=""):
    """sizes: name → bytes; digests: name → SHA-256 (str), of the weights; why: there is no revision."""
    facts = {name: model.get(name) for name in ("name", "layout", "path")}
    missing = {} if revision else {"revision": why}
    digest = _together(digests)
    if digest is None:
        missing["weights_sha256"] = missing["weights_how"] = "no file of weights (%s) is there" % ", ".join(_WEIGHTS)
        how = None
    facts.update(revision=revision, files=len(sizes), bytes=sum(sizes.values()), weights_sha256=digest)
    return dict(facts, weights_how=how, missing=missing)


def _together(digests):
    if len(digests) < 2:
        return next(iter(digests.values()), None)
    lines = "".join("%s  %s\n" % (digests[name], name) for name in sorted(digests))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


# -- Hugging Face's cache: links in snapshots/REVISION to blobs/SHA-256 ----------------------------------------------


def _cache(model):
    folder = os.path.join(model["path"], "hub", "models--" + model["name"].replace("/", "--"))
    revision = _text(os.path.join(folder, "refs", "main"))
    if not revision:
        snapshots = os.listdir(os.path.join(folder, "snapshots"))
        if len(snapshots) != 1:
            return _unknown(model, "%s has no refs/main and %d snapshots" % (folder, len(snapshots)))
        revision = snapshots[0]
    root = os.path.join(folder, "snapshots", revision)
    sizes, digests, unnamed = {}, {}, []
    for name in _walk(root):
        path = os.path.join(root, name)
        sizes[name] = os.path.getsize(path)
        if name.endswith(_WEIGHTS):
            blob = os.path.basename(os.path.realpath(path))
            if _SHA256.match(blob):
                digests[name] = blob
            else:
                unnamed.append(name)
    if unnamed:  # a cache without links, or files that are not in LFS
        return _known(model, sizes, *_digests(root, digests, unnamed), revision=revision)
    return _known(model, sizes, digests, "names", revision=revision)


# -- Ollama's store: manifests/HOST/NAMESPACE/NAME/TAG, blobs/sha256-... -------------------------------------------


def _store(model):
    name, _colon, tag = model["name"].partition(":")
    parts = name.split("/")
    if len(parts) < 2:
        parts.insert(0, "library")
    if len(parts) < 3:
        parts.insert(0, "registry.ollama.ai")
    with open(os.path.join(model["path"], "manifests", *parts, tag or "latest"), "rb") as stream:
        content = stream.read(1 << 20)
    layers = json.loads(content.decode("utf-8"))["layers"]
    sizes = {layer["digest"]: int(layer.get("size") or 0) for layer in layers}
    digests = {
        layer["digest"]: layer["digest"].replace("sha256:", "")
        for layer in layers
        if layer.get("mediaType") in ("application/vnd.ollama.image.model", "application/vnd.ollama.image.adapter")
    }
    # the id that `ollama list` shows begins like this
    return _known(model, sizes, digests, "names", revision="sha256:" + hashlib.sha256(content).hexdigest())


# -- files ---------------------------------------------------------------------------------------------------------


def _file(model):
    folder, name = os.path.split(model["path"])
    names = [name]
    part = _PART.search(name)
    if part:  # NAME-00001-of-00003.gguf: the others lie beside it
        alike = re.compile(re.escape(name[: part.start()]) + r"-\d{5}-of-" + re.escape(part.group(1)) + "$")
        names = sorted(each for each in os.listdir(folder) if alike.match(each))
    sizes = {each: os.path.getsize(os.path.join(folder, each)) for each in names}
    return _known(model, sizes, *_digests(folder, {}, names), why="a file has no revision")


def _directory(model):
    root = model["path"]
    names = _walk(root)
    sizes = {name: os.path.getsize(os.path.join(root, name)) for name in names}
    weights = [name for name in names if name.endswith(_WEIGHTS)]
    known, revisions = {}, set()
    for name in names:
        noted = (_text(os.path.join(root, ".cache", "huggingface", "download", name + ".metadata")) or "").split()
        if len(noted) > 1:
            revisions.add(noted[0])
            if name in weights and _SHA256.match(noted[1]):
                known[name] = noted[1]
    revision = revisions.pop() if len(revisions) == 1 else None
    why = "its files are of several revisions" if revisions else "the directory does not tell of which revision it is"
    unknown = [name for name in weights if name not in known]
    return _known(model, sizes, *_digests(root, known, unknown), revision=revision, why=why)


def _digests(root, known, names):
    """(name → SHA-256, how) of the files that are known, and of these (list of str) by what is beside or in them."""
    digests, left = dict(known), []
    for name in names:
        beside = (_text(os.path.join(root, name + ".sha256")) or "").split()
        if beside and _SHA256.match(beside[0].lower()):
            digests[name] = beside[0].lower()
        else:
            left.append(os.path.join(root, name))
    if not left:
        return digests, "beside"
    whole = sum(os.path.getsize(path) for path in left) <= READ_WHOLE_BYTES
    for path in left:
        digests[os.path.relpath(path, root)] = _hash(path, whole)
    return digests, "read" if whole else "sampled"


def _hash(path, whole):
    """SHA-256 (str) of a file, or of its size and of pieces of it."""
    size, digest = os.path.getsize(path), hashlib.sha256()
    with open(path, "rb") as stream:
        if whole or size <= SAMPLES * SAMPLE_BYTES:
            for piece in iter(lambda: stream.read(1 << 20), b""):
                digest.update(piece)
            return digest.hexdigest()
        digest.update(b"%d\n" % size)
        for number in range(SAMPLES):
            stream.seek((size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()


def _walk(root):
    """Names (sorted list of str) of the files below a directory, hidden folders left out. Raises OSError."""
    os.listdir(root)
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
        if len(found) > MOST_FILES:
            raise ValueError("more than %d files" % MOST_FILES)
    return sorted(name for name in found if os.path.isfile(os.path.join(root, name)))


def _text(path):
    try:
        with open(path, errors="replace") as stream:
            return stream.read(4096).strip() or None
    except OSError:
        return None


_LAYOUTS = {CACHE: _cache, STORE: _store, FILE: _file, DIRECTORY: _directory}
