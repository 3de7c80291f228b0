//+------------------------------------------------------------------+
//| CmrJson.mqh: reads and writes JSON for generated contracts.      |
//| Written by cli-multi-rapid. Do not edit.                         |
//+------------------------------------------------------------------+
#property strict
#ifndef CMR_JSON_MQH
#define CMR_JSON_MQH

#define CMR_MAX_DEPTH 100

//+------------------------------------------------------------------+
//| Characters                                                       |
//+------------------------------------------------------------------+
bool CmrIsDigit(ushort unit)
  {
   return(unit>='0' && unit<='9');
  }

int CmrHexDigit(ushort unit)
  {
   if(CmrIsDigit(unit))
      return(unit-'0');
   if(unit>='a' && unit<='f')
      return(unit-'a'+10);
   if(unit>='A' && unit<='F')
      return(unit-'A'+10);
   return(-1);
  }

// How many units of UTF-16 the character has that begins with this one.
int CmrUnits(ushort unit)
  {
   if(unit>=0xD800 && unit<=0xDBFF)
      return(2);
   return(1);
  }

// Whether half of a surrogate pair stands where a character begins.
bool CmrIsHalf(const string &text,int at)
  {
   ushort unit=StringGetCharacter(text,at);
   if(unit<0xD800 || unit>0xDFFF)
      return(false);
   if(unit>=0xDC00 || at+1>=StringLen(text))
      return(true);
   ushort trail=StringGetCharacter(text,at+1);
   return(trail<0xDC00 || trail>0xDFFF);
  }

// The code point of the character that begins here.
int CmrCode(const string &text,int at)
  {
   int unit=StringGetCharacter(text,at);
   if(unit<0xD800 || unit>0xDBFF || at+1>=StringLen(text))
      return(unit);
   return(0x10000+(unit-0xD800)*0x400+StringGetCharacter(text,at+1)-0xDC00);
  }

// How many characters of Unicode a text has.
int CmrLength(string text)
  {
   int size=StringLen(text);
   int count=0;
   for(int i=0; i<size; i++)
     {
      ushort unit=StringGetCharacter(text,i);
      if(unit<0xDC00 || unit>0xDFFF)
         count++;
     }
   return(count);
  }

string CmrEscaped(ushort unit)
  {
   switch(unit)
     {
      case '\"':
         return("\\\"");
      case '\\':
         return("\\\\");
      case 8:
         return("\\b");
      case 9:
         return("\\t");
      case 10:
         return("\\n");
      case 12:
         return("\\f");
      case 13:
         return("\\r");
     }
   return(StringFormat("\\u%04x",unit));
  }

// A key as it is shown in messages.
string CmrQuoted(string key)
  {
   if(StringLen(key)>80)
      key=StringSubstr(key,0,81-CmrUnits(StringGetCharacter(key,79)))+"...";
   return("\""+key+"\"");
  }

// A key as a part of a JSON pointer.
string CmrPointerPart(string key)
  {
   string made="";
   int size=StringLen(key);
   for(int i=0; i<size; i++)
     {
      ushort unit=StringGetCharacter(key,i);
      if(unit=='~')
         made+="~0";
      else
        {
         if(unit=='/')
            made+="~1";
         else
            made+=ShortToString(unit);
        }
     }
   return(made);
  }

//+------------------------------------------------------------------+
//| Numbers                                                          |
//+------------------------------------------------------------------+
// Converts a whole number of digits, with or without a minus. False where a long cannot hold it.
bool CmrDigitsToLong(string lexeme,long &value)
  {
   int  size=StringLen(lexeme);
   int  i=0;
   bool negative=(StringGetCharacter(lexeme,0)=='-');
   if(negative)
      i=1;
   long made=0;  // negative, because there is one negative number more
   for(; i<size; i++)
     {
      int digit=StringGetCharacter(lexeme,i)-'0';
      if(made<(LONG_MIN+digit)/10)
         return(false);
      made=made*10-digit;
     }
   if(!negative && made==LONG_MIN)
      return(false);
   if(negative)
      value=made;
   else
      value=-made;
   return(true);
  }

// Compares a whole number with a double that is equal as far as doubles can tell: -1, 0 or 1. Nothing is equal.
int CmrCompareWhole(string whole,double other)
  {
   string same=StringFormat("%.0f",other);
   int    less=-1;
   if(StringLen(whole)==0 || whole==same || other==0.0)
      return(0);
   if(other<0.0)
      less=1;
   if(StringLen(whole)!=StringLen(same))
      return(StringLen(whole)<StringLen(same) ? less : -less);
   for(int i=0; i<StringLen(same); i++)
     {
      int difference=StringGetCharacter(whole,i)-StringGetCharacter(same,i);
      if(difference!=0)
         return(difference<0 ? less : -less);
     }
   return(0);
  }

// How many digits a number has before its point, roughly: 3 for 123 and 1.23e2, -2 for 0.00123. Zero has very few.
int CmrMagnitude(string lexeme)
  {
   int  size=StringLen(lexeme);
   int  before=0;
   int  zeros=0;
   int  exponent=0;
   bool pointed=false;
   bool found=false;
   bool minus=false;
   int  i=0;
   for(; i<size; i++)
     {
      ushort unit=StringGetCharacter(lexeme,i);
      if(unit=='e' || unit=='E')
         break;
      if(unit=='.')
         pointed=true;
      if(!CmrIsDigit(unit))
         continue;
      found=(found || unit!='0');
      if(found && !pointed)
         before++;
      if(!found && pointed)
         zeros++;
     }
   for(; i<size; i++)
     {
      ushort sign=StringGetCharacter(lexeme,i);
      if(sign=='-')
         minus=true;
      if(CmrIsDigit(sign) && exponent<100000000)
         exponent=exponent*10+sign-'0';
     }
   if(!found)
      return(-1000000000);
   if(minus)
      exponent=-exponent;
   return(before-zeros+exponent);
  }

//+------------------------------------------------------------------+
//| Formats                                                          |
//+------------------------------------------------------------------+
// The number that so many digits make; -1 where other characters stand there.
int CmrDigits(const string &text,int at,int count)
  {
   int made=0;
   for(int i=at; i<at+count; i++)
     {
      ushort unit=StringGetCharacter(text,i);
      if(!CmrIsDigit(unit))
         return(-1);
      made=made*10+unit-'0';
     }
   return(made);
  }

int CmrDaysOfMonth(int year,int month)
  {
   switch(month)
     {
      case 2:
         if(year%4==0 && (year%100!=0 || year%400==0))
            return(29);
         return(28);
      case 4:
      case 6:
      case 9:
      case 11:
         return(30);
     }
   return(31);
  }

bool CmrIsDateAt(const string &text)
  {
   int year=CmrDigits(text,0,4);
   int month=CmrDigits(text,5,2);
   int day=CmrDigits(text,8,2);
   if(StringGetCharacter(text,4)!='-' || StringGetCharacter(text,7)!='-')
      return(false);
   return(year>=0 && month>=1 && month<=12 && day>=1 && day<=CmrDaysOfMonth(year,month));
  }

// 2026-11-22
bool CmrIsDate(string text)
  {
   return(StringLen(text)==10 && CmrIsDateAt(text));
  }

// Reads Z or an offset such as +01:00, at the end of a text, in minutes.
bool CmrReadOffset(const string &text,int at,int &minutes)
  {
   ushort sign=StringGetCharacter(text,at);
   minutes=0;
   if(sign=='Z' || sign=='z')
      return(StringLen(text)==at+1);
   int hour=CmrDigits(text,at+1,2);
   int minute=CmrDigits(text,at+4,2);
   if((sign!='+' && sign!='-') || StringGetCharacter(text,at+3)!=':' || StringLen(text)!=at+6)
      return(false);
   if(hour<0 || hour>23 || minute<0 || minute>59)
      return(false);
   minutes=hour*60+minute;
   if(sign=='-')
      minutes=-minutes;
   return(true);
  }

bool CmrIsTimeAt(const string &text,int at)
  {
   int hour=CmrDigits(text,at,2);
   int minute=CmrDigits(text,at+3,2);
   int second=CmrDigits(text,at+6,2);
   if(StringGetCharacter(text,at+2)!=':' || StringGetCharacter(text,at+5)!=':')
      return(false);
   if(hour<0 || hour>23 || minute<0 || minute>59 || second<0 || second>60)
      return(false);
   at+=8;
   if(StringGetCharacter(text,at)=='.')
     {
      int first=at+1;
      at=first;
      while(CmrIsDigit(StringGetCharacter(text,at)))
         at++;
      if(at==first)
         return(false);
     }
   int offset=0;
   if(!CmrReadOffset(text,at,offset))
      return(false);
   if(second<60)
      return(true);
   int utc=(hour*60+minute-offset+2880)%1440;  // a leap second is the last one of a day of UTC
   return(utc==1439);
  }

// 09:00:00Z, 09:00:00.123+01:00
bool CmrIsTime(string text)
  {
   return(CmrIsTimeAt(text,0));
  }

// 2026-11-22T09:00:00Z
bool CmrIsDateTime(string text)
  {
   ushort between=StringGetCharacter(text,10);
   return((between=='T' || between=='t') && CmrIsDateAt(text) && CmrIsTimeAt(text,11));
  }

// Converts a text such as 2026-11-22T09:00:00.123+01:00 to UTC; fractions are cut off. False where it is none, or
// where a datetime cannot hold it: those go from 1970 to 3000.
bool CmrToDatetime(string text,datetime &utc)
  {
   if(!CmrIsDateTime(text))
      return(false);
   int year=CmrDigits(text,0,4);
   int days=CmrDigits(text,8,2)-1;
   int minutes=0;
   int at=19;
   for(int month=1; month<CmrDigits(text,5,2); month++)
      days+=CmrDaysOfMonth(year,month);
   if(year<1969 || year>3000)
      return(false);
   days+=(year-1970)*365+(year-1969)/4-(year-1901)/100+(year-1601)/400;
   while(StringGetCharacter(text,at)=='.' || CmrIsDigit(StringGetCharacter(text,at)))
      at++;
   CmrReadOffset(text,at,minutes);
   long seconds=(long)days*86400+CmrDigits(text,11,2)*3600+CmrDigits(text,14,2)*60+CmrDigits(text,17,2)-minutes*60;
   if(seconds<0 || seconds>32535215999)
      return(false);
   utc=(datetime)seconds;
   return(true);
  }

// Converts a time of UTC to a text such as 2026-11-22T09:00:00Z.
string CmrFromDatetime(datetime utc)
  {
   long seconds=(long)utc;
   int  days=(int)(seconds/86400);
   int  rest=(int)(seconds%86400);
   int  year=1970;
   int  month=1;
   while(days>=337+CmrDaysOfMonth(year,2))
     {
      days-=337+CmrDaysOfMonth(year,2);
      year++;
     }
   while(days>=CmrDaysOfMonth(year,month))
     {
      days-=CmrDaysOfMonth(year,month);
      month++;
     }
   return(StringFormat("%04d-%02d-%02dT%02d:%02d:%02dZ",year,month,days+1,rest/3600,rest/60%60,rest%60));
  }

// 00112233-4455-6677-8899-aabbccddeeff
bool CmrIsUuid(string text)
  {
   if(StringLen(text)!=36)
      return(false);
   for(int i=0; i<36; i++)
     {
      ushort unit=StringGetCharacter(text,i);
      bool   dash=(i==8 || i==13 || i==18 || i==23);
      if(dash && unit!='-')
         return(false);
      if(!dash && CmrHexDigit(unit)<0)
         return(false);
     }
   return(true);
  }

//+------------------------------------------------------------------+
//| Reads a JSON text (RFC 8259) from its start to its end. The      |
//| first failure is kept: what, at which character, counted from 0, |
//| and at which value of the document.                              |
//+------------------------------------------------------------------+
struct CmrReader
  {
   string            text;
   int               size;
   int               at;
   int               start;      // of the value or key that was read last
   int               depth;
   bool              opened;     // nothing has been read of the object or array
   string            whole;      // the digits of the number that was read last, where it has nothing else
   bool              failed;
   string            error;
   int               errorPosition;
   string            errorPath;  // JSON pointer

   void              Open(string document)
     {
      text=document;
      size=StringLen(document);
      at=0;
      start=0;
      depth=0;
      opened=false;
      whole="";
      failed=false;
      error="";
      errorPosition=-1;
      errorPath="";
     }

   bool              Fail(string reason,int position)
     {
      if(failed)
         return(false);
      failed=true;
      error=reason;
      errorPosition=position;
      return(false);
     }

   // Says that the failure lies below a key. Returns false.
   bool              Below(string key)
     {
      errorPath="/"+CmrPointerPart(key)+errorPath;
      return(false);
     }

   // Says that the failure lies below an item. Returns false.
   bool              BelowItem(int index)
     {
      errorPath="/"+IntegerToString(index)+errorPath;
      return(false);
     }

   // Fails for the value that was read last.
   bool              Require(bool good,string reason)
     {
      if(good)
         return(!failed);
      return(Fail(reason,start));
     }

   // Fails for the value that was read last where there is a reason.
   bool              Check(string reason)
     {
      return(Require(StringLen(reason)==0,reason));
     }

   // Fails for the object that has just ended.
   bool              Missing(string key)
     {
      return(Fail("the key "+CmrQuoted(key)+" is missing",at-1));
     }

   ushort            Peek()
     {
      if(at>=size)
         return(0);
      return(StringGetCharacter(text,at));
     }

   void              SkipSpace()
     {
      while(at<size)
        {
         ushort unit=StringGetCharacter(text,at);
         if(unit!=' ' && unit!='\t' && unit!='\n' && unit!='\r')
            return;
         at++;
        }
     }

   // Whether the next value is null, which is taken.
   bool              TakeNull()
     {
      SkipSpace();
      start=at;
      return(TakeWord("null",4));
     }

   bool              TakeWord(string word,int length)
     {
      if(size-at<length || StringSubstr(text,at,length)!=word)
         return(false);
      at+=length;
      return(true);
     }

   bool              ReadBoolean(bool &value)
     {
      SkipSpace();
      start=at;
      if(TakeWord("true",4))
         value=true;
      else
        {
         if(!TakeWord("false",5))
            return(Fail("this is not true or false",at));
         value=false;
        }
      return(true);
     }

   bool              ReadInt(int &value,int low,int high)
     {
      long found=0;
      if(!ReadLong(found,low,high))
         return(false);
      value=(int)found;
      return(true);
     }

   // Reads a whole number, also one such as 1.0 or 1e2, and compares it before it is converted.
   bool              ReadLong(long &value,long low,long high)
     {
      SkipSpace();
      start=at;
      bool plain=true;
      if(!ScanNumber(plain))
         return(false);
      string lexeme=StringSubstr(text,start,at-start);
      long   found=0;
      bool   fits=false;
      if(plain)
         fits=CmrDigitsToLong(lexeme,found);
      else
        {
         double exact=0.0;
         if(!ToDouble(lexeme,exact))
            return(false);
         if(MathFloor(exact)!=exact)
            return(Fail("this is no whole number",start));
         fits=(exact>=-9223372036854775808.0 && exact<9223372036854775808.0);
         if(fits)
            found=(long)exact;
        }
      if(!fits || found<low || found>high)
         return(Fail("this is no whole number from "+IntegerToString(low)+" to "+IntegerToString(high),start));
      value=found;
      return(true);
     }

   bool              ReadNumber(double &value)
     {
      SkipSpace();
      start=at;
      bool plain=true;
      if(!ScanNumber(plain))
         return(false);
      string lexeme=StringSubstr(text,start,at-start);
      whole="";
      if(plain)
         whole=lexeme;
      return(ToDouble(lexeme,value));
     }

   // Fails where the number that was read last is less than a limit, also where no double tells them apart.
   bool              AtLeast(double value,double low,string reason)
     {
      return(Require(value>low || (value==low && CmrCompareWhole(whole,low)>=0),reason));
     }

   bool              AtMost(double value,double high,string reason)
     {
      return(Require(value<high || (value==high && CmrCompareWhole(whole,high)<=0),reason));
     }

   bool              ReadText(string &value)
     {
      SkipSpace();
      start=at;
      if(Peek()!='\"')
         return(Fail("this is no text",at));
      int opening=at;
      at++;
      string made="";
      int    from=at;
      while(at<size)
        {
         ushort unit=StringGetCharacter(text,at);
         if(unit=='\"')
           {
            if(at>from)
               made+=StringSubstr(text,from,at-from);
            at++;
            value=made;
            return(true);
           }
         if(unit<32)
            return(Fail("a control character stands in a text",at));
         if(unit=='\\')
           {
            if(at>from)
               made+=StringSubstr(text,from,at-from);
            if(!ReadEscape(made))
               return(false);
            from=at;
           }
         else
           {
            if(CmrIsHalf(text,at))
               return(Fail("half of a surrogate pair is no character",at));
            at+=CmrUnits(unit);
           }
        }
      return(Fail("the text has no end",opening));
     }

   // Reads what stands behind a backslash.
   bool              ReadEscape(string &made)
     {
      int escape=at;
      at++;
      ushort sign=Peek();
      at++;
      switch(sign)
        {
         case '\"':
         case '\\':
         case '/':
            made+=ShortToString(sign);
            return(true);
         case 'b':
            made+=ShortToString(8);
            return(true);
         case 'f':
            made+=ShortToString(12);
            return(true);
         case 'n':
            made+=ShortToString(10);
            return(true);
         case 'r':
            made+=ShortToString(13);
            return(true);
         case 't':
            made+=ShortToString(9);
            return(true);
         case 'u':
            break;
         default:
            return(Fail("JSON has no such escape",escape));
        }
      int code=ReadHex();
      if(code<0)
         return(Fail("four hexadecimal digits stand after \\u",escape));
      if(code==0)
         return(Fail("a text of MQL4 cannot hold U+0000",escape));
      if(code>=0xD800 && code<=0xDFFF)
         return(ReadPair(code,escape,made));
      made+=ShortToString((ushort)code);
      return(true);
     }

   bool              ReadPair(int lead,int escape,string &made)
     {
      int trail=-1;
      if(lead<0xDC00 && TakeWord("\\u",2))
         trail=ReadHex();
      if(trail<0xDC00 || trail>0xDFFF)
         return(Fail("half of a surrogate pair is no character",escape));
      made+=ShortToString((ushort)lead);
      made+=ShortToString((ushort)trail);
      return(true);
     }

   // Reads four hexadecimal digits; -1 where there are none.
   int               ReadHex()
     {
      if(size-at<4)
         return(-1);
      int code=0;
      for(int i=0; i<4; i++)
        {
         int digit=CmrHexDigit(StringGetCharacter(text,at+i));
         if(digit<0)
            return(-1);
         code=code*16+digit;
        }
      at+=4;
      return(code);
     }

   // Moves over a number. It is plain where it has neither fraction nor exponent.
   bool              ScanNumber(bool &plain)
     {
      plain=true;
      if(Peek()=='-')
         at++;
      if(Peek()=='0')
         at++;
      else
        {
         if(!ScanDigits())
            return(Fail("this is no number",start));
        }
      if(Peek()=='.')
        {
         plain=false;
         at++;
         if(!ScanDigits())
            return(Fail("a digit stands after the point of a number",at));
        }
      ushort sign=Peek();
      if(sign=='e' || sign=='E')
        {
         plain=false;
         at++;
         sign=Peek();
         if(sign=='+' || sign=='-')
            at++;
         if(!ScanDigits())
            return(Fail("an exponent has digits",at));
        }
      return(true);
     }

   bool              ScanDigits()
     {
      int first=at;
      while(CmrIsDigit(Peek()))
         at++;
      return(at>first);
     }

   bool              ToDouble(string lexeme,double &value)
     {
      int size_=CmrMagnitude(lexeme);
      if(size_<-330)
        {
         value=0.0;
         return(true);
        }
      if(size_<=310)
         value=StringToDouble(lexeme);
      if(size_>310 || !MathIsValidNumber(value))
         return(Fail("this is too large for a number of double precision",start));
      return(true);
     }

   bool              BeginObject()
     {
      return(Begin('{',"this is no object"));
     }

   bool              BeginArray()
     {
      return(Begin('[',"this is no array"));
     }

   bool              Begin(ushort sign,string reason)
     {
      SkipSpace();
      start=at;
      if(Peek()!=sign)
         return(Fail(reason,at));
      depth++;
      if(depth>CMR_MAX_DEPTH)
         return(Fail("this is nested more than 100 levels deep",at));
      at++;
      opened=true;
      return(true);
     }

   // Moves to the next key or item, or over the end. False at the end, and where it fails.
   bool              Next(ushort closing)
     {
      SkipSpace();
      ushort sign=Peek();
      if(sign==closing)
        {
         at++;
         depth--;
         opened=false;
         return(false);
        }
      if(!opened)
        {
         if(sign!=',')
            return(Fail("a comma or the end is missing",at));
         at++;
        }
      opened=false;
      return(true);
     }

   bool              NextItem()
     {
      return(Next(']'));
     }

   // Reads the next key and the colon. False at the end of the object, and where it fails.
   bool              NextKey(string &key)
     {
      if(!Next('}'))
         return(false);
      SkipSpace();
      if(Peek()!='\"')
         return(Fail("a key in quotes is missing",at));
      if(!ReadText(key))
         return(false);
      SkipSpace();
      if(Peek()!=':')
         return(Fail("a colon is missing",at));
      at++;
      return(true);
     }

   // Fails where anything but white space follows.
   bool              End()
     {
      SkipSpace();
      if(at<size)
         return(Fail("the document has ended, and something follows",at));
      return(true);
     }

   // Reads the text that an object has at a key, and stays before the object.
   bool              PeekText(string wanted,string &value)
     {
      SkipSpace();
      int  object=at;
      int  level=depth;
      bool found=false;
      string key="";
      if(!BeginObject())
         return(false);
      while(!found && NextKey(key))
        {
         if(key==wanted)
           {
            if(!ReadText(value))
               return(Below(key));
            found=true;
           }
         else
           {
            if(!SkipValue())
               return(Below(key));
           }
        }
      if(failed)
         return(false);
      if(!found)
         return(Missing(wanted));
      at=object;
      depth=level;
      opened=false;
      return(true);
     }

   bool              SkipValue()
     {
      SkipSpace();
      ushort sign=Peek();
      if(sign=='{' || sign=='[')
         return(SkipInside(sign));
      start=at;
      if(sign=='\"')
        {
         string text_="";
         return(ReadText(text_));
        }
      if(TakeWord("true",4) || TakeWord("false",5) || TakeWord("null",4))
         return(true);
      bool plain=true;
      return(ScanNumber(plain));
     }

   bool              SkipInside(ushort sign)
     {
      string key="";
      if(sign=='{')
        {
         if(!BeginObject())
            return(false);
         while(NextKey(key))
           {
            if(!SkipValue())
               return(Below(key));
           }
         return(!failed);
        }
      if(!BeginArray())
         return(false);
      for(int i=0; NextItem(); i++)
        {
         if(!SkipValue())
            return(BelowItem(i));
        }
      return(!failed);
     }
  };

//+------------------------------------------------------------------+
//| Writes a JSON text. The first failure is kept.                   |
//+------------------------------------------------------------------+
struct CmrWriter
  {
   string            text;
   bool              opened;
   bool              failed;
   string            error;
   string            errorPath;

   void              Open()
     {
      text="";
      opened=true;
      failed=false;
      error="";
      errorPath="";
     }

   bool              Fail(string reason)
     {
      if(!failed)
         error=reason;
      failed=true;
      return(false);
     }

   bool              Below(string key)
     {
      errorPath="/"+CmrPointerPart(key)+errorPath;
      return(false);
     }

   bool              BelowItem(int index)
     {
      errorPath="/"+IntegerToString(index)+errorPath;
      return(false);
     }

   bool              Require(bool good,string reason)
     {
      if(good)
         return(!failed);
      return(Fail(reason));
     }

   bool              Check(string reason)
     {
      return(Require(StringLen(reason)==0,reason));
     }

   void              Begin(string sign)
     {
      text+=sign;
      opened=true;
     }

   void              End(string sign)
     {
      text+=sign;
      opened=false;
     }

   void              NextItem()
     {
      if(!opened)
         text+=",";
      opened=false;
     }

   // Writes a key, which is given as JSON.
   void              Key(string quoted)
     {
      NextItem();
      text+=quoted;
      text+=":";
     }

   bool              Null()
     {
      text+="null";
      return(!failed);
     }

   bool              Boolean(bool value)
     {
      if(value)
         text+="true";
      else
         text+="false";
      return(!failed);
     }

   bool              Integer(long value,long low,long high)
     {
      if(value<low || value>high)
         return(Fail("this is no whole number from "+IntegerToString(low)+" to "+IntegerToString(high)));
      text+=IntegerToString(value);
      return(!failed);
     }

   // Writes the shortest of three forms that reads back equal.
   bool              Number(double value)
     {
      if(!MathIsValidNumber(value))
         return(Fail("JSON has no such number"));
      string made=StringFormat("%.15g",value);
      if(StringToDouble(made)!=value)
         made=StringFormat("%.16g",value);
      if(StringToDouble(made)!=value)
         made=StringFormat("%.17g",value);
      text+=made;
      return(!failed);
     }

   bool              Text(string value)
     {
      int size=StringLen(value);
      int from=0;
      text+="\"";
      for(int i=0; i<size; i++)
        {
         ushort unit=StringGetCharacter(value,i);
         if(CmrIsHalf(value,i))
            return(Fail("half of a surrogate pair is no character"));
         if(unit>=32 && unit!='\"' && unit!='\\')
           {
            i+=CmrUnits(unit)-1;
            continue;
           }
         if(i>from)
            text+=StringSubstr(value,from,i-from);
         text+=CmrEscaped(unit);
         from=i+1;
        }
      if(size>from)
         text+=StringSubstr(value,from,size-from);
      text+="\"";
      return(!failed);
     }
  };

//+------------------------------------------------------------------+
//| Says what this terminal does otherwise than generated code needs |
//| it; nothing where all is well. Run it once in a new terminal.    |
//+------------------------------------------------------------------+
string CmrSelfTest()
  {
   string letters="abc";
   string pair=ShortToString(0xD83D)+ShortToString(0xDE00);
   string expected="\""+ShortToString(0xE9)+pair+"\\n\"";
   string value="";
   double number=0.0;
   long   integer=0;
   CmrReader reader;
   CmrWriter writer;
   if(StringSubstr(letters,1,1)!="b" || StringSubstr(letters,2,5)!="c" || StringGetCharacter(letters,3)!=0)
      return("StringSubstr or StringGetCharacter");
   if(StringLen(pair)!=2 || StringGetCharacter(pair,0)!=0xD83D || CmrLength(pair)!=1 || CmrCode(pair,0)!=0x1F600)
      return("characters beyond U+FFFF");
   if(StringToDouble("1e22")!=1e22 || StringToDouble("-2.5E-3")!=-0.0025)
      return("StringToDouble with an exponent");
   if(StringToDouble("0.07")!=0.07 || StringToDouble("1.7976931348623157e+308")!=1.7976931348623157e+308)
      return("StringToDouble with many digits");
   number=StringToDouble("4.9406564584124654e-324");
   if(number==0.0 || StringToDouble(StringFormat("%.17g",number))!=number)
      return("numbers near zero");
   if(StringFormat("%.0f",9007199254740992.0)!="9007199254740992" || StringFormat("%04x",0xE9)!="00e9")
      return("StringFormat");
   if(IntegerToString(LONG_MIN)!="-9223372036854775808" || IntegerToString(LONG_MAX)!="9223372036854775807")
      return("IntegerToString");
   reader.Open("-9223372036854775808");
   if(!reader.ReadLong(integer,LONG_MIN,LONG_MAX) || integer!=LONG_MIN)
      return("whole numbers");
   reader.Open("9223372036854775808");
   if(reader.ReadLong(integer,LONG_MIN,LONG_MAX))
      return("whole numbers that are too large");
   reader.Open("\"\\u00e9\\ud83d\\ude00\\n\"");
   writer.Open();
   if(!reader.ReadText(value) || !writer.Text(value) || writer.text!=expected)
      return("escapes in texts");
   writer.Open();
   if(!writer.Number(0.1) || writer.text!="0.1")
      return("numbers that are written");
   return("");
  }

#endif
