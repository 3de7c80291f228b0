"""What a name promises and what a value looks like: the judgement behind the generic rules.

Names say whether a password or a key may be meant; values are judged by their characters, their disorder, and by how
much they resemble words. Placeholders, look-ups, hashes, public keys and paths are no secrets.
"""

import math
import re
from collections import Counter
from enum import Enum
from functools import lru_cache
from itertools import pairwise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Meaning(Enum):
    """What a name says about its value."""

    NOTHING = 0
    PASSWORD = 1
    KEY = 2
    TOKEN = 3


_KEYWORD = re.compile(
    r"(?i)(pass(?:word|wd|phrase|code)|pwd|(?<![a-z])pass(?![a-z])|(?-i:(?<=[a-z])Pass(?![a-z])))"
    r"|(secret|credential|(?:api|access|private|auth|client|account|storage|shared|master|signing|encryption)key"
    r"|(?<![a-z])key|(?-i:(?<=[a-z0-9])Key))"
    r"|(token)"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_AFTER = _words(
    """age alg algorithm alias arn attempt audience button charset checker class claim column comment count cost date
    default delay description digest dir directory display doc duration enabled encoding endpoint env error event
    exists
    expiration expired expires expiry field file filename fingerprint flag folder form format func function generator
    handler hash hashed hasher hashes header help hint history host icon id identifier ids index info input interval
    invalid issuer kind label layout len length level lifetime limit link list location manager map match max message
    method min mode model name names not number object option page param parameter path pattern placeholder policy
    position prefix prompt provider reason ref reference regex regexp region required reset revision rotation rule
    salt schema scope scopes selector service setting sha size source spec state status store strategy strength style
    subject suffix sum template text thumbprint time timeout title ttl type types uri url usage used user username
    valid validation validator value values var variable vault verb version view"""
)
_BEFORE = _words(
    """anti arrow cache cancellation column composite continuation csrf cursor dedupe deduplication dict etag field
    foreign form group hash hot i18n idempotency index item keyboard label locale lookup map measurement menu meta
    natural next object order page pagination parent partition primary pub public publishable query registry route row
    s search shard short site sort state sync tab table translation unique xsrf"""
)
_STRONG = re.compile(r"(?i)secret|api[_.-]?key|access[_.-]?key|password|passwd|private[_.-]?key")


@lru_cache(maxsize=4_096)
def meaning(name: str) -> Meaning:
    """Return what a name says: the last word that stands for a secret counts, unless what is around it is harmless."""
    found = None
    for match in _KEYWORD.finditer(name):
        found = match
    if found is None:
        return Meaning.NOTHING
    rest = re.sub(r"^(?:s(?![a-z])|\d+)", "", name[found.end() :])
    after = {word.lower() for word in _WORD.findall(rest)}
    if (rest[:1].islower() and found[0].islower()) or after & _AFTER:
        return Meaning.NOTHING
    if found[1]:
        return Meaning.PASSWORD
    if {word.lower() for word in _WORD.findall(name[: found.start()])} & _BEFORE:
        return Meaning.NOTHING
    return Meaning.TOKEN if found[3] else Meaning.KEY


def is_strong(name: str) -> bool:
    """Tell whether a name leaves little doubt that its value is secret."""
    return _STRONG.search(name) is not None


_LOOKUP = re.compile(
    r"\.\.\.|…|\$\{|(?:\\x[0-9A-Fa-f]{2}){2}|\$\(|\{\{|<%|%\(|#\{|%\{|\{[^{}\s]*\}|\[\["
    r"|^\$\w+$|^\$env:|^%\w+%$|^@\w+@$|^<[^>]*>?$|^[!&*]\w+|^__\w+__$"
    r"|^(?:vault|op|arn|ssm|env|file|secret|secrets|keyvault|ref|aws|akv|gcp|doppler|infisical|azurekeyvault)[:+]"
    r"|^(?:process|os|env|environ|config|settings|self|this|secrets|var|local|data|module|args|params|request|ctx|options)\."
    r"|://|^projects/|^[\w.]+\(|\)$|^\(|\(\)|=>|^-+$"
)
_HASH = re.compile(
    r"(?i)^\$(?:[125]|6|y|7|2[abxy]|argon2\w*|pbkdf2\S*|scrypt|bcrypt\S*|apr1|s0|md5)\$"
    r"|^(?:pbkdf2|argon2|bcrypt|scrypt|sha\d*|md5|h1|ssha\d*|crc32|blake\w+|dir)[_:$=-]|^\{\w+\}|^W/"
)
_PUBLIC = re.compile(
    r"^(?:ssh-|ecdsa-|sk-ssh|AAAA[BCE][0-9A-Za-z+/]|-----BEGIN (?:[A-Z]+ )*(?:PUBLIC|CERT)|MIIBIjANBg|MIICIjANBg"
    r"|MIGfMA0G|MFkwEwYH|MHYwEAYH|MCowBQYDK2Vw|age1|pk_|pk\.)"
)
_UUID = re.compile(r"(?i)^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$")
_HEX = re.compile(r"^(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)$")
_KEY_TEXT = re.compile(r"[\w+/=.~|!@#%^*:-]+", re.ASCII)
_NUMBERS = re.compile(r"^[\d.,:;TZ+\-/_ ]+$")
_PATH = re.compile(
    r"^(?:[A-Za-z]:[\\/]|~|\.{1,2}[\\/]|/(?:bin|dev|etc|home|mnt|opt|private|proc|root|run|srv|tmp|usr|var)/)"
)
_HOST = re.compile(r"(?i)^(?:[\w-]+\.)+(?:com|org|net|io|dev|local|internal|cloud|app|edu|gov)(?::\d+)?$")
_FILE = re.compile(
    r"(?i)\.(?:pem|key|json|ya?ml|txt|crt|cer|py|js|ts|html?|php|png|svg|md|env|conf|cfg|ini|p12|pfx|jks|xml|log)$"
)
_WORDS = re.compile(
    r"(?i)change[_ -]?(?:me|it|this)|placeholder|replace|insert|example|sample|dummy|redacted|masked|hidden"
    r"|your[_-]|^your|my[_-]?(?:secret|token|key|pass)|goes[_-]?here|[_-]here$|enter[_-]|todo|fixme|default"
    r"|undefined|nullptr|passw|secret|token|api[_-]?key|foo[_-]?bar|foobar|hunter2|letmein|qwerty|lorem|unused|invalid|correct[_-]?horse|deadbeef|cafebabe"
)
_TESTING = re.compile(
    r"(?i)(?:^|[^a-z])(?:test|fake|mock|stub|fixture|demo|dev|local|debug|temp)(?:$|[^a-z])|testing|test[_-]|[_-]test"
)
_SEQUENCES = ("0123456789abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_LEET = str.maketrans("@4301$5!7", "aaeoissit")
_PAIRS = _words(
    """th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic
    ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo
    wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry
    mp fe bl ab gh ty op wo sa ay ex ke fr oo av ag if ap gr od bo sp rd do uc bu ei ov by rm ep tt oc fa ef cu rn sc gi
    da yo cr cl du ga qu ue ff ba ey ls va um pp up lu go ht ru ug ds lt pi rc rr eg au ck ew mu br bi pt ak pu ui rg ib
    ki rk ys ob mm fu ph og ms ud mb ip ub gu dr tw wn nu nn ok my gl aw ps ks"""
)
_NO_PASSWORD = re.compile(r"\s|[<>]|^\w+=\w+")
_LIKE_WORDS = 0.56
_UNLIKE_WORDS = 0.36
_CHANGES = 0.33
_MIN_PASSWORD = 8
_MIN_KEY = 16
_HEX_SIZES = frozenset({32, 40, 48, 56, 64, 80, 96, 128, 256})


def entropy_bits(text: str) -> float:
    """Return the Shannon entropy of a text in bits per character."""
    size = len(text)
    return -sum(number / size * math.log2(number / size) for number in Counter(text).values()) if size else 0.0


def is_placeholder(value: str) -> bool:
    """Tell whether a value stands for another one: a look-up, a template, words that say so, a mere sequence."""
    if _LOOKUP.search(value) or _TESTING.search(value) or _WORDS.search(value):
        return True
    plain = value.lower().translate(_LEET)
    return bool(_WORDS.search(plain)) or _is_sequence(value.lower()) or len(set(value)) < min(6, len(value) / 2)


def is_password(value: str) -> bool:
    """Tell whether a value is likely a password that somebody uses."""
    if len(value) < _MIN_PASSWORD or len(value) > 128 or not _is_open(value) or _NO_PASSWORD.search(value):
        return False
    if is_hex(value):
        return is_key(value)
    letters = [char for char in value if char.isalpha()]
    digits = sum(map(str.isdigit, value))
    signs = sum(not char.isalnum() for char in value)
    plain_signs = sum(char in "_-./:, ?" for char in value)
    cases = any(map(str.isupper, value)) and any(map(str.islower, value))
    if len(letters) < 3 or (not digits and (signs == plain_signs or not cases)):
        return is_key(value)  # words, unless they are none
    # What has words and at most two digits is a name with a number, as long as it has no sign that names do not have.
    if signs == plain_signs and signs and digits <= 2 and word_share(value) >= _UNLIKE_WORDS:
        return False
    if signs == plain_signs and re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+)*\d{0,2}", value):
        return False
    return entropy_bits(value) >= 2.75 and not is_placeholder(value)


def is_key(value: str) -> bool:
    """Tell whether a value is likely a key that a program made."""
    if len(value) < _MIN_KEY or len(value) > 1_024 or not _is_open(value) or _NUMBERS.match(value):
        return False
    if is_hex(value):
        sized = len(value.removeprefix("0x")) in _HEX_SIZES
        return sized and entropy_bits(value) >= 3.0 and not _is_sequence(value.lower())
    least = 3.5 if len(value) >= 20 else 3.2
    if not _KEY_TEXT.fullmatch(value) or entropy_bits(value) < least:
        return False
    share = word_share(value)
    letters_only = not any(map(str.isdigit, value))
    if is_wordy(value) or (letters_only and (len(value) < 20 or share >= _UNLIKE_WORDS)):
        return False
    if re.fullmatch(r"[A-Za-z]+(?:[._/:-][A-Za-z]+\d{0,4})*", value) and share >= _UNLIKE_WORDS:
        return False
    # A long random text may hold any four letters; a short one that does is a placeholder more often than not.
    return not (is_placeholder(value) if len(value) < 32 else _says_so(value))


def is_hex(value: str) -> bool:
    """Tell whether a value is hexadecimal, all of its letters in one case."""
    return _HEX.match(value) is not None


def is_uuid(value: str) -> bool:
    """Tell whether a value is a UUID."""
    return _UUID.match(value) is not None


def word_share(value: str) -> float:
    """Return which part of the pairs of neighbouring letters is common in words: about 0.9 in words, 0.25 in noise."""
    pairs = [
        one + other
        for run in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", value)
        for one, other in pairwise(run.lower())
    ]
    if len(pairs) < 4:
        return 0.0
    return sum(pair in _PAIRS for pair in pairs) / len(pairs)


def is_wordy(value: str) -> bool:
    """Tell whether a value is made of words and numbers rather than of random characters.

    Random characters change between capitals, small letters and digits all the time; words do not.
    """
    kinds = [_kind(char) for char in value if char.isalnum()]
    changes = sum(one != other and (one, other) != ("A", "a") for one, other in pairwise(kinds))
    return word_share(value) >= _LIKE_WORDS and changes < _CHANGES * len(kinds)


def _kind(char: str) -> str:
    return "1" if char.isdigit() else "A" if char.isupper() else "a"


def _is_open(value: str) -> bool:
    """Tell whether a value is neither a hash, a public key, a path nor a number."""
    return not any(form.search(value) for form in (_HASH, _PUBLIC, _PATH, _FILE, _HOST))


def _says_so(value: str) -> bool:
    found = _LOOKUP.search(value) or _TESTING.search(value) or _WORDS.search(value)
    if found is None:
        return _is_sequence(value.lower())
    # Chance makes short words out of random letters, never with borders around them.
    return len(found[0]) > 4 or word_share(value) >= _UNLIKE_WORDS


def _is_sequence(value: str) -> bool:
    """Tell whether a good part of a value runs along the alphabet, the digits or the keyboard, or repeats itself."""
    run = longest = steps = 0
    for one, other in pairwise(value):
        follows = one == other or any(one + other in line for line in _SEQUENCES)
        run = run + 1 if follows else 0
        steps += follows
        longest = max(longest, run)
    half = len(value) // 2
    repeats = half >= 8 and value[:half] == value[half : half * 2]
    return longest >= max(3, len(value) // 3) or longest >= 7 or steps >= len(value) * 0.6 or repeats
