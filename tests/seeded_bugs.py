"""Bugs of generated MQL4, of its reader and writer of JSON, and of what stands in for MQL4 here.

Each is a text that stands in one of the files exactly `count` times, and what replaces it. `BUG` in the new text is
true while the bug is switched on and false else, where the program must be the one that was generated. Where `BUG` is
not mentioned, the new text takes the place of the old one while the bug is on: of a statement where that ends with a
semicolon, else of an expression.
"""

from dataclasses import dataclass

JSON, SHIM, MADE, DRIVER = "CmrJson.mqh", "shim.hpp", "A_v1_0.mqh", "driver.hpp"


@dataclass(frozen=True)
class Bug:
    """One or more texts of files that are replaced together."""

    file: str
    old: str
    new: str
    count: int = 1
    also: "Bug | None" = None

    def planted(self, files, number):
        """Return the files with the bug, which is on while `cmr_bug` is this number."""
        text = files[self.file]
        assert text.count(self.old) == self.count, (self.old, text.count(self.old))
        on = f"(cmr_bug=={number})"
        if "BUG" in self.new:
            new = self.new.replace("BUG", on)
        elif self.old.endswith(";"):
            new = f"{{ if{on} {{ {self.new} }} else {{ {self.old} }} }}"
        else:
            new = f"({on} ? ({self.new}) : ({self.old}))"
        assert new != self.old
        made = {**files, self.file: text.replace(self.old, new)}
        return self.also.planted(made, number) if self.also else made


BUGS = {
    # Texts
    "a line feed is read as another escape": Bug(JSON, "made+=ShortToString(10);", "made+=ShortToString(13);"),
    "a quote is not escaped": Bug(JSON, r'return("\\\"");', 'return("\\"");'),
    "a backslash is not escaped": Bug(JSON, r'return("\\\\");', r'return("\\");'),
    "control characters are escaped too briefly": Bug(JSON, r'"\\u%04x"', r'"\\u%02x"'),
    "a tab is escaped as a line feed": Bug(JSON, r'return("\\t");', r'return("\\n");'),
    "an escape that is none is read": Bug(
        JSON, 'return(Fail("JSON has no such escape",escape));', "made+=ShortToString(sign); return(true);"
    ),
    "upper-case digits of an escape are refused": Bug(JSON, "unit>='A' && unit<='F'", "false"),
    "a g is a hexadecimal digit": Bug(JSON, "unit>='a' && unit<='f'", "unit>='a' && unit<='g'"),
    "the halves of a pair are swapped": Bug(
        JSON,
        "made+=ShortToString((ushort)lead);\n      made+=ShortToString((ushort)trail);",
        "made+=ShortToString((ushort)trail); made+=ShortToString((ushort)lead);",
    ),
    "half of a surrogate pair is read": Bug(JSON, "code>=0xD800 && code<=0xDFFF", "false"),
    "any unit ends a surrogate pair": Bug(
        JSON,
        "trail<0xDC00 || trail>0xDFFF)\n         return(Fail",
        "BUG ? trail<0 : (trail<0xDC00 || trail>0xDFFF))\n         return(Fail",
    ),
    "a control character is read": Bug(JSON, "if(unit<32)", "if(unit<32 && !BUG)"),
    "a text is cut at 255 units": Bug(
        JSON, "value=made;\n            return(true);", "value=StringSubstr(made,0,255); return(true);"
    ),
    "a long text is cut": Bug(
        JSON, "value=made;\n            return(true);", "value=StringSubstr(made,0,1000000); return(true);"
    ),
    "an empty text is null": Bug(MADE, "if(note_null)", 'if(note_null || (BUG && note==""))'),
    "a byte order mark is dropped": Bug(SHIM, "if (unit == 0) return;", "if (unit == 0 || unit == 0xFEFF) return;"),
    "U+2028 becomes a line feed": Bug(
        SHIM, "if (unit == 0) return;", "if (unit == 0x2028) unit = 10; if (unit == 0) return;"
    ),
    "characters beyond the BMP are read wrongly": Bug(
        SHIM, "made.add(0xD7C0 + (code >> 10));", "made.add(0xD800 + (code >> 10 & 0x3FF));"
    ),
    "characters beyond the BMP are written wrongly": Bug(
        SHIM,
        "code = 0x10000 + ((code - 0xD800) << 10) + (text.units[++i] - 0xDC00);",
        "code = 0x10000 + ((code - 0xD800) << 10); ++i;",
    ),
    "text ends at U+0000": Bug(JSON, 'return(Fail("a text of MQL4 cannot hold U+0000",escape));', "return(true);"),
    # Lengths, patterns, formats
    "lengths count units of UTF-16": Bug(JSON, "unit<0xDC00 || unit>0xDFFF", "true"),
    "a text may be one character longer": Bug(MADE, "length>8", "length>9"),
    "a text may be one character shorter": Bug(MADE, "length<2", "length<1"),
    "a pattern is found anywhere": Bug(
        MADE,
        "if(!A_v1_0_MatchesSymbol(text))",
        "if(!A_v1_0_MatchesSymbol(text) && !(BUG && A_v1_0_MatchesSymbol(StringSubstr(text,1))))",
    ),
    "a line feed may follow a pattern": Bug(
        MADE,
        "if(!A_v1_0_MatchesPrice(text))",
        "if(!A_v1_0_MatchesPrice(text) && !(BUG && StringLen(text)>1"
        " && StringGetCharacter(text,StringLen(text)-1)=='\\n'"
        " && A_v1_0_MatchesPrice(StringSubstr(text,0,StringLen(text)-1))))",
    ),
    "a class of a pattern has one character more": Bug(
        MADE,
        "if(code>=65 && code<=90)\n            return(1);",
        "if(code>=65 && code<=90+(BUG ? 1 : 0))\n            return(1);",
    ),
    "a pattern is not checked": Bug(MADE, "reader_.Check(A_v1_0_CheckAmount(amount))", "true"),
    "1900 was a leap year": Bug(JSON, "year%4==0 && (year%100!=0 || year%400==0)", "year%4==0"),
    "there is a thirteenth month": Bug(JSON, "month<=12", "month<=13"),
    "every month has 31 days": Bug(JSON, "return(30);", "return(31);"),
    "leap seconds are refused": Bug(JSON, "second>60", "second>59"),
    "a leap second may be anywhere": Bug(JSON, "utc==1439", "true"),
    "a fraction without digits is a time": Bug(JSON, "at==first", "false"),
    "dashes of a uuid may be missing": Bug(JSON, "dash && unit!='-'", "false"),
    "a date is rewritten": Bug(
        MADE,
        "good_=(reader_.ReadText(at) && reader_.Check(A_v1_0_CheckAt(at)));",
        "good_=(reader_.ReadText(at) && reader_.Check(A_v1_0_CheckAt(at))); "
        "if(StringGetCharacter(at,10)=='t') at=StringSubstr(at,0,10)+\"T\"+StringSubstr(at,11);",
    ),
    "a fraction of a second is cut": Bug(
        MADE,
        "good_=(reader_.ReadText(clock) && reader_.Check(A_v1_0_CheckClock(clock)));",
        "good_=(reader_.ReadText(clock) && reader_.Check(A_v1_0_CheckClock(clock))); "
        'if(StringLen(clock)>16) clock=StringSubstr(clock,0,15)+"Z";',
    ),
    # Numbers
    "integers are clamped": Bug(
        JSON, "fits=CmrDigitsToLong(lexeme,found);", "fits=true; if(!CmrDigitsToLong(lexeme,found)) found=LONG_MAX;"
    ),
    "integers become doubles": Bug(
        JSON,
        "fits=CmrDigitsToLong(lexeme,found);",
        "double rough=0.0; if(!ToDouble(lexeme,rough)) return(false); "
        "fits=(rough<9.2e18 && rough>-9.2e18); if(fits) found=(long)rough;",
    ),
    "the smallest integer is refused": Bug(
        JSON, "made<(LONG_MIN+digit)/10", "made<(LONG_MIN+digit)/10 || made*10-digit==LONG_MIN"
    ),
    "an integer may be one larger": Bug(MADE, "reader_.ReadInt(small,1,1000)", "reader_.ReadInt(small,1,1001)"),
    "an integer may be one smaller": Bug(MADE, "reader_.ReadInt(small,1,1000)", "reader_.ReadInt(small,0,1000)"),
    "fractions are cut off": Bug(JSON, "MathFloor(exact)!=exact", "false"),
    "only plain integers are read": Bug(JSON, "MathFloor(exact)!=exact", "true"),
    "zeros may lead": Bug(JSON, "if(Peek()=='0')", "if(Peek()=='0' && !BUG)"),
    "a minus alone is a number": Bug(
        JSON, 'if(!ScanDigits())\n            return(Fail("this is no number",start));', "ScanDigits();"
    ),
    "a plus may lead": Bug(
        JSON,
        "if(Peek()=='-')\n         at++;",
        "if(BUG && Peek()=='+') { at++; start++; } if(Peek()=='-')\n         at++;",
    ),
    "a point may end a number": Bug(
        JSON,
        'if(!ScanDigits())\n            return(Fail("a digit stands after the point of a number",at));',
        "ScanDigits();",
    ),
    "an exponent may have no digits": Bug(
        JSON, 'if(!ScanDigits())\n            return(Fail("an exponent has digits",at));', "ScanDigits();"
    ),
    "numbers have 15 digits": Bug(JSON, 'made=StringFormat("%.17g",value);', 'made=StringFormat("%.15g",value);'),
    "numbers are of single precision": Bug(
        SHIM,
        "double made = cmr_host::strtod(ascii, nullptr);",
        "double made = cmr_host::strtod(ascii, nullptr);\n    if (BUG) made = (float)made;",
    ),
    "infinity is a number": Bug(JSON, "size_>310 || !MathIsValidNumber(value)", "false"),
    "a bound of a number is excluded": Bug(MADE, "unit<=1.0", "unit<1.0"),
    "a bound of a number is not checked": Bug(MADE, 'reader_.AtLeast(unit,0.0,"this is less than 0.0")', "true"),
    "integers are written with 32 bits": Bug(SHIM, 'StringFormat("%ld", value)', 'StringFormat("%d", (int)value)'),
    # Objects
    "a key may stand twice": Bug(MADE, "if(seen_[index_])", "if(seen_[index_] && !BUG)", count=4),
    "unknown keys are skipped": Bug(
        MADE,
        'return(reader_.Fail("the contract has no key "+CmrQuoted(key_),reader_.start));',
        "if(!reader_.SkipValue()) return(false); continue;",
        count=4,
    ),
    "a required key may be missing": Bug(MADE, 'return(reader_.Missing("n"));', ";"),
    "a required key of an inner object may be missing": Bug(MADE, 'return(reader_.Missing("v"));', ";"),
    "a field is lost": Bug(MADE, "if(flag_present)", "if(flag_present && !BUG)"),
    "a field is read into another one": Bug(
        MADE,
        "reader_.ReadLong(a_b,LONG_MIN,9223372036854775807)",
        "reader_.ReadLong(a_b_2,LONG_MIN,9223372036854775807)",
    ),
    "a key is written as another one": Bug(MADE, r'writer_.Key("\"a_b\"");', r'writer_.Key("\"ab\"");'),
    "a quote in a key is not escaped": Bug(
        MADE, r'writer_.Key("\"say \\\"x\\\"\\\\\"");', r'writer_.Key("\"say x\"");'
    ),
    "what is missing is written": Bug(MADE, "if(a_b_present)", "if(a_b_present || BUG)"),
    "null becomes missing": Bug(MADE, "if(rare_present)", "if(rare_present && !(BUG && rare_null))"),
    "null becomes an empty text": Bug(MADE, "if(maybe_null)", "if(maybe_null && !BUG)"),
    "null is read where it is not allowed": Bug(
        MADE, "good_=(reader_.ReadText(class_));", "good_=(reader_.TakeNull() || reader_.ReadText(class_));"
    ),
    "null is refused where it is allowed": Bug(MADE, "note_null=reader_.TakeNull();", "note_null=false;"),
    # Enums, constants, unions, arrays
    "an enum is written as another value": Bug(MADE, 'return("sell");', 'return("buy");'),
    "case does not matter in an enum": Bug(MADE, 'text=="buy"', 'text=="buy" || text=="BUY"'),
    "an unknown value of an enum is read": Bug(MADE, "value!=A_v1_0_Side_UNSET", "true"),
    "a constant is not checked": Bug(MADE, 'fixed=="v1"', "true", count=2),
    "a whole number as constant is not checked": Bug(MADE, "reader_.ReadInt(one,1,1)", "reader_.ReadInt(one,0,9)"),
    "true is written as false": Bug(MADE, "writer_.Boolean(u00E9)", "writer_.Boolean(!u00E9)"),
    "a constant truth is not checked": Bug(MADE, "yes==true", "true", count=2),
    "the tag of a union is not checked": Bug(
        MADE,
        'reader_.Fail("this is none of \\"limit\\", \\"market\\"",reader_.start);',
        "kind=A_v1_0_KindKind_market; return(market.Read(reader_));",
        also=Bug(MADE, 'reader_.Require(type=="market","this is not \\"market\\"")', "true"),
    ),
    "a case of a union is taken for another": Bug(
        MADE, "return(limit.Write(writer_));", "return(market.Write(writer_));"
    ),
    "an array may be one longer": Bug(MADE, "if(count>=4)", "if(count>=4+(BUG ? 1 : 0))"),
    "an array may be empty": Bug(
        MADE, "if(count<1)\n      return(reader_.Fail(", "if(count<1 && !BUG)\n      return(reader_.Fail("
    ),
    "the last item is lost": Bug(
        MADE,
        "int count=ArraySize(items);\n   if(count>4)",
        "int count=ArraySize(items)-((BUG && ArraySize(items)>3) ? 1 : 0);\n   if(count>4)",
    ),
    "null as an item becomes a text": Bug(MADE, "absent=nulls[i];", "absent=false;"),
    # The document
    "a comma may end an object or array": Bug(
        JSON,
        "opened=false;\n      return(true);\n     }\n\n   bool              NextItem()",
        "SkipSpace(); if(BUG && Peek()==closing) { at++; depth--; opened=false; return(false); }\n"
        "opened=false;\n      return(true);\n     }\n\n   bool              NextItem()",
    ),
    "a comma may be missing": Bug(JSON, 'return(Fail("a comma or the end is missing",at));', "at--;"),
    "a colon may be an equals sign": Bug(JSON, "if(Peek()!=':')", "if(Peek()!=':' && !(BUG && Peek()=='='))"),
    "text may follow": Bug(JSON, 'return(Fail("the document has ended, and something follows",at));', ";"),
    "a space that is none is skipped": Bug(
        JSON, "if(unit!=' ' && unit!='\\t'", "if(!(BUG && unit==0xA0) && unit!=' ' && unit!='\\t'"
    ),
    "the position is missing": Bug(MADE, "errorPosition=reader_.errorPosition;", "errorPosition=-1;"),
    "the path to what is wrong is missing": Bug(MADE, "errorPath=reader_.errorPath;", 'errorPath="";'),
    "the path to what is wrong has another index": Bug(
        JSON,
        'errorPath="/"+IntegerToString(index)+errorPath;',
        'errorPath="/"+IntegerToString(index+1)+errorPath;',
        count=2,
    ),
}


CMR_JSON, SHAPES, TYPED, MODEL = "cmr_json.ts", "cmr_shapes.ts", "a_v1_0.ts", "a_v1_0.py"
OTHER_BUGS = {
    "typescript: a key may stand twice": (CMR_JSON, "if (made.has(key)) throw", "if (false) throw"),
    "typescript: zeros may lead": (CMR_JSON, 'if (!this.#skip("0")) this.#digits(pointer);', "this.#digits(pointer);"),
    "typescript: a control character is read": (CMR_JSON, "else if (code >= 0x20)", "else if (code >= 0)"),
    "typescript: integers become doubles": (CMR_JSON, "return BigInt(lexeme);", "return BigInt(Number(lexeme));"),
    "typescript: text may follow": (CMR_JSON, "if (this.#at < this.#text.length) throw", "if (false) throw"),
    "typescript: escapes have three digits": (
        CMR_JSON,
        "Number.parseInt(digits, 16)",
        "Number.parseInt(digits.slice(1), 16)",
    ),
    "typescript: unknown keys are kept": (SHAPES, "if (!known.has(key)) throw reading", "if (false) throw reading"),
    "python: a key may stand twice": (MODEL, "if len(made) != len(pairs):", "if False:"),
    "python: null becomes missing": (
        MODEL,
        "value = _plain(model.model_dump(",
        "value = _plain(model.model_dump(exclude_none=True, ",
    ),
    "python: the schema is not asked": (
        MODEL,
        "    value = _plain(_read(text), ())\n    _validate(value)\n",
        "    value = _plain(_read(text), ())\n",
    ),
    "python: the path to what is wrong is missing": (MODEL, 'return "".join("/" + ', 'return "" and "".join("/" + '),
}
"""Of other languages: the file, a text that stands in it once, and what replaces it."""
