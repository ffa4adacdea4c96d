"""Personal and secret data in a text: patterns as data, each with its source.

The patterns run in Rust's engine (linear time), on the texts that hold one of their cues: to
compile one takes longer than to look for all cues in thousands of answers. What has a check digit
is counted only where the digit is right, so that order numbers and the like do not make noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gonogo.privacy import SECRET_FORMS


@dataclass(frozen=True, slots=True)
class Pattern:
    """One form of a kind of data; `check` looks at what the pattern found.

    A text that holds none of the `cues`, in any case of ASCII letters, cannot match.
    """

    kind: str
    cues: tuple[str, ...]
    pattern: str
    source: str
    check: Callable[[str], bool] | None = None


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if "0" <= c <= "9"]


def luhn(text: str) -> bool:
    """The check digit of card numbers: https://www.iso.org/standard/70484.html (ISO/IEC 7812-1)."""
    digits = _digits(text)[::-1]
    doubled = (sum(divmod(2 * d, 10)) for d in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


_IBAN: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
    "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 "
    "TN24 TR26 UA29 VA22 VG24 XK20"
)
IBAN_LENGTHS: Final = {entry[:2]: int(entry[2:]) for entry in _IBAN.split()}
"""Characters of an IBAN by country: https://www.swift.com/standards/data-standards/iban"""


def iban(text: str) -> bool:
    """Length by country and remainder 1 of 97 (ISO 13616); what follows the number is let be."""
    compact = "".join(text.split()).upper()
    length = IBAN_LENGTHS.get(compact[:2], 0)
    if not length or len(compact) < length:
        return False
    number = compact[4:length] + compact[:4]
    return int("".join(str(int(c, 36)) for c in number)) % 97 == 1


def _us_ssn(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _gb_nino(text: str) -> bool:
    return text[:2].upper() not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"


def _es_dni(text: str) -> bool:
    compact = text.replace("-", "").upper()
    number = compact[:-1].translate(str.maketrans("XYZ", "012"))
    return len(number) == 8 and _DNI_LETTERS[int(number) % 23] == compact[-1]


def _fr_nir(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    # Corsica's departments 2A and 2B count as 19 and 18.
    number = compact[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and int(compact[13:]) == 97 - int(number) % 97


def _pl_pesel(text: str) -> bool:
    digits = _digits(text)
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    month, day = (digits[2] * 10 + digits[3]) % 20, digits[4] * 10 + digits[5]
    right = sum(d * w for d, w in zip(digits, weights, strict=True)) % 10 == 0
    return right and 1 <= month <= 12 and 1 <= day <= 31


_FOUR: Final = r"(?:[ -]?[0-9]{4}){3}"
_CARDS: Final = (
    rf"4[0-9]{{3}}{_FOUR}",  # Visa
    rf"(?:5[1-5]|2[2-7])[0-9]{{2}}{_FOUR}",  # Mastercard
    rf"(?:35|6[0-9])[0-9]{{2}}{_FOUR}",  # JCB, Discover, UnionPay, Maestro
    r"3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}",  # American Express
    r"3[068][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{4}",  # Diners Club
)

_DIGITS: Final = tuple("0123456789")

PATTERNS: Final = (
    Pattern("email", ("@",), r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+\p{L}{2,24}\b",
            "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2"),
    Pattern("phone", ("+",), r"\+[1-9][0-9](?:[ ()./-]{0,2}[0-9]){6,13}\b",
            "https://www.itu.int/rec/T-REC-E.164"),
    Pattern("phone", _DIGITS,
            r"(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\b",
            "https://nationalnanpa.com/about_us/abt_nanp.html"),
    Pattern("card", _DIGITS, rf"\b(?:{'|'.join(_CARDS)})\b",
            "https://www.iso.org/standard/70484.html", luhn),
    Pattern("iban", _DIGITS, r"(?i)\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
            "https://www.swift.com/standards/data-standards/iban", iban),
    Pattern("national_id", _DIGITS, r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b",
            "https://www.ssa.gov/employer/randomization.html", _us_ssn),
    Pattern("national_id", _DIGITS,
            r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]\b",
            "https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110",
            _gb_nino),
    Pattern("national_id", _DIGITS, r"(?i)\b(?:[XYZ]-?[0-9]{7}|[0-9]{8})-?[A-Z]\b",
            "https://www.interior.gob.es/opencms/es/servicios-al-ciudadano/tramites-y-gestiones/"
            "dni/calculo-del-digito-de-control-del-nif-nie/", _es_dni),
    Pattern("national_id", _DIGITS,
            r"(?i)\b[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",
            "https://www.insee.fr/fr/metadonnees/definition/c1409", _fr_nir),
    Pattern("national_id", _DIGITS, r"\b[0-9]{11}\b",
            "https://www.gov.pl/web/gov/czym-jest-numer-pesel", _pl_pesel),
    *(Pattern("secret", cues, rf"\b(?:{form})", source) for cues, form, source in SECRET_FORMS),
    Pattern("secret", ("private key",), r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY",
            "https://www.rfc-editor.org/rfc/rfc7468"),
    Pattern("secret", ("eyj",), r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
            "https://www.rfc-editor.org/rfc/rfc7519"),
)  # fmt: skip
