"""What a C++ compiler would let pass, and MQL4 does not have, is refused before it is compiled."""

import pytest

from cli_multi_rapid.contracts.targets.mql4.adapting import adapted
from cli_multi_rapid.contracts.targets.mql4.allowed import check_sources
from cli_multi_rapid.contracts.targets.mql4.tokens import NotMql4, tokens

GOOD = """
#property strict
#ifndef A_MQH
#define A_MQH
#include "CmrJson.mqh"

struct Point
  {
   int               x;
   string            names[];
   bool              nulls[];

                     Point() { Clear(); }

   void              Clear()
     {
      x=0;
      ArrayResize(names,0);
     }
  };

enum Side
  {
   Side_UNSET=-1,
   Side_BUY
  };

bool Read(Point &point,string &names[],const Point &others[],int low=1)
  {
   bool seen[2];
   int  made=(int)point.x*2;
   ArrayInitialize(seen,false);
   for(int i=0; i<2 && made<low; i++)
     {
      if(seen[i] || !(names[i]=="a" "b"+ShortToString(0xE9)) || made>3)
         continue;
      else
        {
         seen[i]=(made&1)==0;
        }
     }
   do
     {
      made--;
     }
   while(made>0);
   switch(point.x)
     {
      case 1:
      case -2:
         return(made>0 ? true : false);
      default:
         break;
     }
   double part=1.5e-3;
   return(part<2.0 && 'a'<'\\'' && point.x%2!=0);
  }

#endif
"""
FUNCTION = 'void F() {{ int a=1; int b[2]; string s=""; Point p; {} }}'

FOREIGN = {
    "auto": "auto x=1;",
    "a lambda": "int c=[](int z) { return z; }(1);",
    "a lambda that captures": "int c=[&]() { return a; }();",
    "an arrow": "int c=p->x;",
    "a pointer": "Point *q;",
    "a pointer to int": "int *q;",
    "an address": "F(&p);",
    "an address that is assigned": "a=&p;",
    "what a pointer points to": "a=*p;",
    "a template": "cmr_array<int> c;",
    "a template of a type": "Point<int> c;",
    "an exception": "throw 1;",
    "try": "try { a=1; } catch(int e) { }",
    "std": "std::string c;",
    "a scope": "Point::Clear();",
    "a global scope": "::F();",
    "nullptr": "s=nullptr;",
    "constexpr": "constexpr int c=1;",
    "decltype": "decltype(a) c=1;",
    "static_assert": "static_assert(true);",
    "size_t": "size_t c=1;",
    "unsigned": "unsigned c=1;",
    "static_cast": "a=static_cast<int>(1.5);",
    "goto": "goto end;",
    "a label": "end: a=1;",
    "using": "using T=int;",
    "typedef": "typedef int T;",
    "namespace": "namespace n=m;",
    "a local reference": "int &c=a;",
    "a reference to what is gone": "int &&c=1;",
    "a for over a range": "for(int c : b) { a=c; }",
    "braces that make a value": "Point c{};",
    "braces that are assigned": "p={1};",
    "braces that are returned": "return {};",
    "braces behind a cast": "p=(Point){1};",
    "a statement as an expression": "a=({ 1; });",
    "an array of any size": "int c[a];",
    "an attribute": "[[maybe_unused]] int c=1;",
    "and": "if(a and a) a=2;",
    "not": "if(not a) a=2;",
    "a raw text": 'a=R"(x)";',
    "a wide text": 's=L"x";',
    "a text of UTF-8": 's=u8"x";',
    "a raw text by a name that is there": 'int R=1; s=R"(x)";',
    "a text with a name behind it": 's="x"s;',
    "an unsigned number": "a=1u;",
    "a long number": "a=1L;",
    "a short fraction": "a=1.0f;",
    "an octal number": "a=017;",
    "a binary number": "a=0b11;",
    "a number in groups": "a=1'000;",
    "a hexadecimal escape": 's="\\x41";',
    "two characters": "a='ab';",
    "what is not built in": "printf(s);",
    "another function of MQL4": "OrderSend(s);",
    "a struct in a function": "struct Q { int z; };",
    "new": "p=new Point();",
    "delete": "delete p;",
    "this": "this.x=1;",
    "sizeof": "a=sizeof(p);",
    "digraphs": "int c<:2:>;",
    "a long name": f"int {'c' * 64}=1;",
    "a character beyond ASCII": 's="é";',
    "variadic": "F(...);",
    "spaceship": "a=a<=>1;",
    "a call of an item": "b[0](1);",
    "a line that goes on": "a=1; \\\n",
}
ALONE = {
    "a struct by value": "void G(Point p) { }",
    "a struct by value, second": "void G(int a,Point p) { }",
    "a struct that is returned": "Point G() { }",
    "a constant method": "struct Q { int z; int Z() const { return(1); } };",
    "a value of a member": "struct Q { int z=1; };",
    "a list of initializers": "struct Q { int z; Q() : z(1) { } };",
    "a base": "struct Q : Point { };",
    "bits": "struct Q { int z:3; };",
    "a template": "template<typename T> T G(T a) { return(a); }",
    "a concept": "concept C=true;",
    "a union": "union U { int a; double b; };",
    "a class": "class C { };",
    "an enum class": "enum class C { A };",
    "pragma": "#pragma pack(1)",
    "if": "#if 1",
    "undef": "#undef A_MQH",
    "a header": "#include <vector>",
    "joined names": "#define J(a,b) a##b",
    "a comment that goes on": "// \\\nint z;",
    "a comment of many lines": "/* x */",
    "extern C": 'extern "C" void G();',
    "an operator": "int operator+(int a) { return(1); }",
    "inline": "inline void G() { }",
    "a result behind": "int G()->int { return(1); }",
    "a pointer to a function": "void G(int (*f)(int)) { }",
    "an external variable": "extern int z;",
}
POINT = "struct Point { int x; void Clear() { } };\n"


def test_what_contracts_use_passes():
    check_sources(GOOD)
    check_sources(POINT + FUNCTION.format("a=2;"))


@pytest.mark.parametrize("name", FOREIGN)
def test_what_cpp_has_in_functions_is_refused(name):
    with pytest.raises(NotMql4, match=r"line [0-9]+: "):
        check_sources(POINT + FUNCTION.format(FOREIGN[name]))


@pytest.mark.parametrize("name", ALONE)
def test_what_cpp_has_outside_of_functions_is_refused(name):
    with pytest.raises(NotMql4, match=r"line [0-9]+: "):
        check_sources(POINT + ALONE[name])


def test_a_declaration_in_one_source_counts_in_another():
    check_sources(POINT, "void G(Point &p) { p.x=1; }")
    with pytest.raises(NotMql4, match=r"Point is not known"):
        check_sources("void G(Point &p) { p.x=1; }")


def test_tokens_are_the_source():
    assert "".join(one.text for one in tokens(GOOD)) == GOOD


def test_three_things_are_written_otherwise_for_the_compiler():
    made = adapted(GOOD)
    assert len(made.splitlines()) == len(GOOD.splitlines())
    changed = [(a, b) for a, b in zip(GOOD.splitlines(), made.splitlines(), strict=True) if a != b]
    assert [(a.split(), b.split()) for a, b in changed] == [
        (["#property", "strict"], []),
        (["string", "names[];"], ["cmr_array<string>", "names;"]),
        (["bool", "nulls[];"], ["cmr_array<bool>", "nulls;"]),
        (
            ["bool", "Read(Point", "&point,string", "&names[],const", "Point", "&others[],int", "low=1)"],
            [
                "bool",
                "Read(Point",
                "&point,cmr_array<string>",
                "&names,const",
                "cmr_array<Point>",
                "&others,int",
                "low=1)",
            ],
        ),
    ]


def test_texts_and_comments_are_not_changed():
    source = '// int a[];\nstring s="int a[]; T &b[] #property strict";\nint a[2];\nb=c&d[0];\nint e[]={1};\n'
    assert adapted(source) == source
