"""The guide for MQL4 programmers is executed, and what it says of conversions of times is true."""

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli_multi_rapid.contracts.loading import load_contracts
from cli_multi_rapid.contracts.profile import lowered
from cli_multi_rapid.contracts.targets.mql4.emitter import Mql4Emitter

ROOT = Path(__file__).resolve().parents[4]
SAMPLE = ROOT / "src/cli_multi_rapid/starter/sample"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^```mql4\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SCRIPTS = [text for file in DOCS for text in BLOCK.findall(file.read_text("utf-8"))]


@pytest.fixture
def order_intent():
    found = load_contracts(["OrderIntent@1.0.json"], lambda path: (SAMPLE / path).read_bytes())
    (contract,) = found.contracts
    emitter = Mql4Emitter()
    text = emitter.text(contract, lowered(found, contract).type)
    return {emitter.file_name(contract): text, **emitter.support()}


def test_the_script_in_the_guide_does_what_it_says(script, order_intent):
    (source,) = SCRIPTS
    assert script(source, order_intent) == [
        "BUY 0.10 EURUSD",
        "at 1.08250",
        "no chain of re-entries",
        "character 13, /intentId: this is no text",
        "/lots: this does not match ^(0[.](0[1-9]|[1-9][0-9]?)|[1-9][0-9]{0,3}([.][0-9]{1,2})?)$",
    ]


def test_what_was_read_before_leaves_nothing(script, order_intent):
    full = """
   received.maxLoss_present=true;
   received.maxLoss.amount="1";
   received.stopLoss_null=true;
   received.order.kind=OrderIntent_v1_0_OrderKind_STOP;
   Print(received.ToJson()," ",received.errorPath,": ",received.error);
   Print(received.FromJson("{}")," ",received.error);
   Print(received.maxLoss_present," ",received.maxLoss.amount," ",received.stopLoss_null," ",received.symbol);
   Print(received.ToJson()," ",received.errorPath,": ",received.error);
"""
    source = f'#include "OrderIntent_v1_0.mqh"\nvoid OnStart()\n  {{\n   OrderIntent_v1_0 received;{full}  }}\n'
    assert script(source, order_intent) == [
        " /intentId: this is no uuid",
        'false the key "intentId" is missing',
        "false  false ",
        " /intentId: this is no uuid",
    ]


def test_times_are_converted_and_come_back(script, order_intent):
    chance = random.Random(1)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    end = datetime(2999, 12, 31, tzinfo=UTC)
    days = (end - start).days
    moments = [start, end, datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2100, 3, 1, tzinfo=UTC)]
    moments += [start + timedelta(days=chance.randrange(days), seconds=chance.randrange(86400)) for _ in range(60)]
    texts = [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in moments]
    expected = [f"true {int(one.timestamp())} {text}" for one, text in zip(moments, texts, strict=True)]
    others = {
        "2026-11-22t09:00:00.999+05:30": "true 1795318200 2026-11-22T03:30:00Z",
        "1969-12-31T23:30:00-01:00": "true 1800 1970-01-01T00:30:00Z",
        "2016-12-31T23:59:60Z": "true 1483228800 2017-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z": "false",
        "3001-01-01T00:00:00Z": "false",
        "3000-12-31T23:59:59Z": "true 32535215999 3000-12-31T23:59:59Z",
        "2026-02-29T00:00:00Z": "false",
        "2026.11.22 09:00": "false",
    }
    calls = "".join(f'   Say("{one}");\n' for one in [*texts, *others])
    source = f"""#include "CmrJson.mqh"
void Say(string text)
  {{
   datetime found=0;
   if(CmrToDatetime(text,found))
      Print("true ",found," ",CmrFromDatetime(found));
   else
      Print("false");
  }}
void OnStart()
  {{
{calls}  }}
"""
    assert script(source, order_intent) == [*expected, *others.values()]


TEST = '#include "CmrJson.mqh"\nvoid OnStart()\n  {\n   Print("[",CmrSelfTest(),"]");\n  }\n'


def test_the_terminal_is_what_generated_code_needs(script, order_intent):
    assert script(TEST, order_intent) == ["[]"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("? (char)text.units[i]", "&& text.units[i] != 'e' ? (char)text.units[i]", "StringToDouble with an exponent"),
        ("inline string IntegerToString(long value)", "inline string IntegerToString(int value)", "IntegerToString"),
        ("if (length <= 0 ||", "length--; if (length <= 0 ||", "StringSubstr or StringGetCharacter"),
        ("if (unit == 0) return;", "if (unit == 0 || unit > 0xD7FF) return;", "characters beyond U+FFFF"),
    ],
)  # fmt: skip
def test_a_terminal_that_is_not_is_told(script, order_intent, old, new, said):
    assert script(TEST, order_intent, shim=lambda text: text.replace(old, new)) == [f"[{said}]"]
