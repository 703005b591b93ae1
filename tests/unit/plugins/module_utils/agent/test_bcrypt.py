# SPDX-License-Identifier: MIT
"""bcrypt against another's hashes, and the secrets that need it."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import bcrypt, surroundings

# made by libxcrypt 4.4.33, crypt(3)
HASHES = {
    "": "$2b$04$......................w74bL5gU7LSJClZClCa.Pkz14aTv/XO",
    "a": "$2b$04$abcdefghijklmnopqrstuuMFdJu9yVgmagVAIC24fOZkaFqd3s9JC",
    "correct horse battery staple": "$2b$04$ABCDEFGHIJKLMNOPQRSTUuHzrfeaHESIafIgIn5rRlQxo3XhcNIeq",
    "é€": "$2b$04$012345678901234567890u33FKSXYHtExPT6Nqo1sapSEzJEVAVN2",
}


def salt_of(text: str) -> bytes:
    """The 16 bytes of a hash's salt."""
    number = 0
    for sign in text[7:29]:
        number = number << 6 | bcrypt._ALPHABET.index(sign)
    return (number >> 4).to_bytes(16, "big")


@pytest.mark.parametrize(("password", "known"), HASHES.items())
def test_hashes_of_others(password, known):
    assert bcrypt.hashed(password, salt_of(known)) == known


def test_a_salt_is_random():
    first, second = bcrypt.hashed("a"), bcrypt.hashed("a")
    assert first != second and bcrypt.hashed("a", salt_of(first)) == first


@pytest.mark.parametrize("password", ["x" * 72, "a\0b"])
def test_what_would_not_count_is_refused(password):
    with pytest.raises(ValueError, match="at most 71 bytes"):
        bcrypt.hashed(password)


def test_the_hash_lies_beside_the_secret_and_both_stay(tmp_path):
    folder = tmp_path / "secrets"
    for _start in range(2):
        surroundings.make_secrets(str(folder), ["key", "password"], ["password"])
        found = {path.name: path.read_text() for path in folder.iterdir()}
        assert set(found) == {"key", "password", "password.bcrypt"}
        assert (
            bcrypt.hashed(found["password"].strip(), salt_of(found["password.bcrypt"])) + "\n"
            == found["password.bcrypt"]
        )
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
