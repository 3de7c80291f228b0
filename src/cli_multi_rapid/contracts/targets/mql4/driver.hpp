// Asks a generated struct, `cmr_type`, for every document: a line with the number of its bytes, and so many bytes of
// UTF-8 from standard input; the answer is one line, `OK` and the document written again, or `ERR`, place and reason.
namespace cmr_host
{
struct source
{
    char bytes[65536];
    int at = 0;
    int end = 0;

    int next()
    {
        if (at == end) {
            at = 0;
            end = (int)read(0, bytes, sizeof bytes);
        }
        return end <= 0 ? (end = at = 0, -1) : (uchar)bytes[at++];
    }
};

// Text as a part of one line.
inline string on_one_line(const string &text)
{
    string made;
    for (int i = 0; i < text.size; i++) made.add(text.units[i] < 32 ? ' ' : text.units[i]);
    return made;
}

inline void answer(const char *bytes, int count)
{
    string document;
    if (!from_utf8(bytes, count, document)) {
        print(1, "ERR /\tthe document holds U+0000, at which a text of MQL4 ends\n");
        return;
    }
    cmr_type value;
    if (!value.FromJson(document)) {
        string where = (StringLen(value.errorPath) > 0 ? value.errorPath : string("/")) + " (character " + IntegerToString(value.errorPosition + 1) + ")";
        print(1, "ERR " + on_one_line(where) + "\t" + on_one_line(value.error) + "\n");
        return;
    }
    string made = value.ToJson();
    if (StringLen(value.error) > 0) {  // it was accepted all the same, and what is returned is no such document
        CmrWriter said;
        said.Open();
        said.Text("ToJson failed at " + value.errorPath + ": " + value.error);
        made = said.text;
    }
    print(1, "OK " + made + "\n");
}
}

int main()
{
    static cmr_host::source given;
    char *document = nullptr;
    for (int sign = given.next(); sign >= 0; sign = given.next()) {
        long size = 0;
        for (; sign >= '0' && sign <= '9' && size < 1000000000; sign = given.next()) size = size * 10 + sign - '0';
        if (sign != '\n') cmr_host::stop("a request begins with the number of its bytes");
        document = (char *)cmr_host::resized(document, size);
        for (long i = 0; i < size; i++) {
            sign = given.next();
            if (sign < 0) cmr_host::stop("a request ends too early");
            document[i] = (char)sign;
        }
        cmr_host::answer(document, (int)size);
    }
    __builtin_free(document);
    return 0;
}
