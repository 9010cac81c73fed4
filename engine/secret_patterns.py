"""Keys, tokens and passwords in a text: what they look like, and the mask that takes their place.

The patterns are those of the public prefixes of each service (the same that detect-secrets looks for). Each has a
literal that must stand in the text first, so that a text without one costs a few substring searches.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b

_B64 = r"[A-Za-z0-9+/=_-]"
PATTERNS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    ("aws-key", ("AKIA", "ASIA", "ABIA", "ACCA"), re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b")),
    (
        "github-token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,80}|github_pat_[A-Za-z0-9_]{50,100})\b"),
    ),
    ("gitlab-token", ("glpat-",), re.compile(r"\bglpat-[A-Za-z0-9_-]{20,50}")),
    ("slack-token", ("xox",), re.compile(r"\bxox[abposr]-[A-Za-z0-9-]{10,200}")),
    (
        "slack-webhook",
        ("hooks.slack.com",),
        re.compile(r"https://hooks\.slack\.com/services/T\w{5,20}/B\w{5,20}/\w{20,30}"),
    ),
    (
        "openai-key",
        ("sk-",),
        re.compile(r"\bsk-(?:proj-|svcacct-|ant-[a-z0-9]{2,8}-|or-v1-)?[A-Za-z0-9_-]{20,200}(?![\w-])"),
    ),
    ("stripe-key", ("sk_live", "rk_live", "sk_test"), re.compile(r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{16,100}\b")),
    ("google-key", ("AIza",), re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    ("huggingface-token", ("hf_",), re.compile(r"\bhf_[A-Za-z0-9]{30,60}\b")),
    ("npm-token", ("npm_",), re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("pypi-token", ("pypi-",), re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{50,300}")),
    ("sendgrid-key", ("SG.",), re.compile(r"\bSG\.[\w-]{22}\.[\w-]{43}")),
    ("twilio-key", ("SK", "AC"), re.compile(r"\b(?:SK|AC)[0-9a-f]{32}\b")),
    ("mailchimp-key", ("-us",), re.compile(r"\b[0-9a-f]{32}-us\d{1,2}\b")),
    ("square-token", ("sq0",), re.compile(r"\bsq0(?:csp|atp)-[\w-]{22,50}")),
    ("telegram-token", (":AA",), re.compile(r"\b\d{8,10}:AA[\w-]{33}")),
    ("discord-token", ("iscord", "ISCORD"), re.compile(r"\b[MNO][A-Za-z\d_-]{23,25}\.[\w-]{6}\.[\w-]{27,38}")),
    ("jwt", ("eyJ",), re.compile(rf"\beyJ{_B64}{{10,2000}}\.eyJ{_B64}{{10,2000}}\.{_B64}{{10,1000}}")),
    (
        "private-key",
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[^-]|-(?!----(?:BEGIN|END) )){0,6000}+(?:-----END [A-Z ]{5,40}-----|\Z)"
        ),
    ),
    ("azure-key", ("AccountKey=",), re.compile(r"AccountKey=[A-Za-z0-9+/=]{80,100}")),
    (
        "url-password",
        ("://",),
        re.compile(
            r"(?<=://)[^\s:/@\"'<>]{1,60}:(?!(?:pass(?:word)?|pwd|secret|\*+|x+|"
            r"<)\b)[^\s:/@\"'<>{}$]{3,100}(?=@[\w.-]{3,100})"
        ),
    ),
    (
        "password",
        ("assword", "ASSWORD", "asswd", "pi_key", "PI_KEY", "piKey", "ecret", "ECRET"),
        re.compile(
            r"(?i:\b[\w-]{0,30}(?:password|passwd|api_?key|secret(?:_?key)?)[\"']?\s{0,3}(?:[:=]|:=|"
            r"=>)\s{0,3})(?P<q>[\"'`])"
            r"(?=[^\"'`\s]{0,79}\d)(?=[^\"'`\s]{0,79}[A-Za-z])[^\"'`\s<>${}]{8,80}(?P=q)"
        ),
    ),
)
# What stands in documentation in the place of a secret.
_EXAMPLE = re.compile(
    r"example|sample|dummy|placeholder|your|change.?me|xxxx|1234567|abcdef|foobar|<|\*\*\*|\.\.\.|password123|p@ssw0rd",
    re.IGNORECASE,
)
# Looked at in full, but for a text in which so many literals stand that matching would take minutes.
_MOST_LITERALS = 20_000
_EXAMINED, _EXAMINED_AT_LEAST = 8_000_000, 200_000


def secrets_in(text: str, kinds: Collection[str] | None = None) -> list[tuple[str, int, int]]:
    """Kind, start and end of each secret in `text`, in order; overlapping finds once. `kinds`: look for these alone."""
    found: list[tuple[str, int, int]] = []
    for kind, literals, pattern in PATTERNS:
        if (kinds is not None and kind not in kinds) or not any(literal in text for literal in literals):
            continue
        for match in pattern.finditer(text, 0, _end_of_look(text, literals)):
            if _EXAMPLE.search(match.group()) is None and (kind != "openai-key" or re.search(r"\d", match.group())):
                found.append((kind, *match.span()))
    found.sort(key=lambda one: (one[1], -one[2]))
    kept: list[tuple[str, int, int]] = []
    for one in found:
        if not kept or one[1] >= kept[-1][2]:
            kept.append(one)
    return kept


def _end_of_look(text: str, literals: Collection[str]) -> int:
    """How far a pattern reads: its time grows with the text, and with the places where a match may begin."""
    if len(text) <= _EXAMINED_AT_LEAST or sum(map(text.count, literals)) <= _MOST_LITERALS:
        return _EXAMINED
    return _EXAMINED_AT_LEAST


# In a command or a setting a short one is one, too, and so is what stands behind its name.
_GIVEN = re.compile(
    r"(?<![A-Za-z0-9])(?:hf_|sk-|gh[pousr]_|github_pat_|glpat-|npm_|xox[abposr]-)[A-Za-z0-9_-]{8,}"
    r"|(?i:(?<![a-z])[a-z_-]{0,40}(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|credentials?)"
    r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?[^\s\"'$,}\]]{4,})"
    r"|(?i:(?<![a-z])bearer\s{1,3}[a-z0-9._~+/=-]{8,})"
)
_PRIVATE_NAME = re.compile(
    r"(?i)(?:^|[._-])(?:token|secret|password|passwd|credentials?|api_?key|access_?key|private_?key)$"
)
_NO_SECRET_NAMES = frozenset({"eos_token", "pad_token", "bos_token", "unk_token"})


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret: `hub_token`, `api_key`."""
    return name not in _NO_SECRET_NAMES and _PRIVATE_NAME.search(name) is not None


def looks_secret(text: str) -> bool:
    """Whether words of a command or a setting hold a secret, an example of one among them."""
    return _GIVEN.search(text) is not None or any(
        any(literal in text for literal in literals) and pattern.search(text, 0, _end_of_look(text, literals))
        for _, literals, pattern in PATTERNS
    )


def mask_secrets(text: str) -> str:
    """`text` with each secret replaced by a mask that is the same wherever the secret stands."""
    for kind, start, end in reversed(secrets_in(text)):
        text = text[:start] + mask(kind, text[start:end]) + text[end:]
    return text


# Masks that say what stood there, the same for the same value in every row: `<email-3f2a>`.


def mask(kind: str, value: str) -> str:
    """A stand-in for `value`. Two bytes of a digest tell two values apart and give neither of them away."""
    return f"<{kind}-{blake2b(value.encode('utf-8', 'replace'), digest_size=2).hexdigest()}>"
