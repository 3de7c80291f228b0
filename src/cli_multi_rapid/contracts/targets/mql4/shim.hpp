// What MQL4 has built in, for a C++ compiler on this machine: only so much as generated contracts use. No header is
// included, so that no macro of one can change what they mean. Numbers that nobody has set are not zero, as in MQL4.
#ifndef CMR_SHIM_HPP
#define CMR_SHIM_HPP

static_assert(sizeof(long) == 8 && sizeof(int) == 4, "in MQL4 a long has 64 bits and an int 32");

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef long datetime;
typedef __SIZE_TYPE__ cmr_size;

const int INT_MIN = -2147483647 - 1;
const int INT_MAX = 2147483647;
const long LONG_MIN = -9223372036854775807L - 1;
const long LONG_MAX = 9223372036854775807L;

namespace cmr_host
{
extern "C" long write(int, const void *, cmr_size);
extern "C" long read(int, void *, cmr_size);
extern "C" double strtod(const char *, char **);
extern "C" void _exit(int);
extern "C" long time(long *);

// Ends the program, as the terminal ends one after a critical error.
[[noreturn]] inline void stop(const char *reason)
{
    write(2, reason, __builtin_strlen(reason));
    write(2, "\n", 1);
    _exit(70);
    __builtin_unreachable();
}

inline void *resized(void *memory, cmr_size bytes)
{
    void *found = __builtin_realloc(memory, bytes ? bytes : 1);
    if (!found) stop("out of memory");
    return found;
}

inline void print(int descriptor, const char *bytes, cmr_size count)
{
    while (count > 0) {
        long done = write(descriptor, bytes, count);
        if (done <= 0) stop("the answer cannot be written");
        bytes += done;
        count -= done;
    }
}
}

inline void *operator new(cmr_size, void *place) noexcept { return place; }

// Text in units of UTF-16, copied by value. It ends at U+0000.
struct string
{
    ushort *units = nullptr;
    int size = 0;
    int room = 0;

    string() {}
    string(const char *ascii)
    {
        for (; *ascii; ascii++) add((uchar)*ascii);
    }
    string(const string &other) { append(other); }
    ~string() { __builtin_free(units); }
    string &operator=(const string &other)
    {
        if (this == &other) return *this;
        size = 0;
        return append(other);
    }
    string &operator+=(const string &other) { return append(other); }

    void reserve(int wanted)
    {
        if (wanted <= room) return;
        room = wanted < 2 * room ? 2 * room : wanted;
        units = (ushort *)cmr_host::resized(units, room * sizeof(ushort));
    }
    void add(ushort unit)
    {
        if (unit == 0) return;
        reserve(size + 1);
        units[size++] = unit;
    }
    string &append(const string &other)
    {
        int count = other.size;  // of itself, too
        reserve(size + count);
        if (count) __builtin_memcpy(units + size, other.units, count * sizeof(ushort));
        size += count;
        return *this;
    }
    bool equals(const string &other) const
    {
        return size == other.size && (size == 0 || __builtin_memcmp(units, other.units, size * sizeof(ushort)) == 0);
    }
};

inline string operator+(const string &one, const string &other)
{
    string made(one);
    made += other;
    return made;
}
inline bool operator==(const string &one, const string &other) { return one.equals(other); }
inline bool operator!=(const string &one, const string &other) { return !one.equals(other); }

// A dynamic array. An index outside of it ends the program.
template <class T> struct cmr_array
{
    T *items = nullptr;
    int count = 0;
    int room = 0;

    cmr_array() {}
    cmr_array(const cmr_array &other) { *this = other; }
    ~cmr_array()
    {
        resize(0, 0);
        __builtin_free((void *)items);
    }
    cmr_array &operator=(const cmr_array &other)
    {
        if (this == &other) return *this;
        resize(other.count, 0);
        for (int i = 0; i < count; i++) items[i] = other.items[i];
        return *this;
    }
    T &operator[](long index)
    {
        if (index < 0 || index >= count) cmr_host::stop("array out of range");
        return items[index];
    }
    void resize(int wanted, int spare)
    {
        while (count > wanted) items[--count].~T();
        if (wanted > room) move(wanted + spare);
        if (wanted > count) __builtin_memset((void *)(items + count), 0xA5, (wanted - count) * sizeof(T));
        while (count < wanted) new (items + count++) T;
    }
    void move(int wanted)
    {
        T *fresh = (T *)cmr_host::resized(nullptr, (cmr_size)wanted * sizeof(T));
        for (int i = 0; i < count; i++) {
            new (fresh + i) T(items[i]);
            items[i].~T();
        }
        __builtin_free((void *)items);
        items = fresh;
        room = wanted;
    }
};

template <class T> int ArraySize(cmr_array<T> &array) { return array.count; }
template <class T> int ArrayResize(cmr_array<T> &array, int size, int reserve = 0)
{
    if (size < 0) return -1;
    array.resize(size, reserve > 0 ? reserve : 0);
    return size;
}
template <class T, int N> int ArrayInitialize(T (&array)[N], T value)
{
    for (int i = 0; i < N; i++) array[i] = value;
    return N;
}

inline int StringLen(const string &text) { return text.size; }
inline ushort StringGetCharacter(const string &text, int at)
{
    return at < 0 || at >= text.size ? 0 : text.units[at];
}
// A length of 0 or less means all of the rest.
inline string StringSubstr(const string &text, int at, int length = 0)
{
    string made;
    if (at < 0 || at >= text.size) return made;
    if (length <= 0 || length > text.size - at) length = text.size - at;
    made.reserve(length);
    __builtin_memcpy(made.units, text.units + at, length * sizeof(ushort));
    made.size = length;
    return made;
}
inline string ShortToString(ushort unit)
{
    string made;
    made.add(unit);
    return made;
}
template <class... T> string StringFormat(const char *form, T... values)
{
    char made[512];
    int count = __builtin_snprintf(made, sizeof made, form, values...);
    if (count < 0 || count >= (int)sizeof made) cmr_host::stop("StringFormat: too long");
    return string(made);
}
inline string IntegerToString(long value) { return StringFormat("%ld", value); }
inline double StringToDouble(const string &text)
{
    char *ascii = (char *)cmr_host::resized(nullptr, text.size + 1);
    for (int i = 0; i < text.size; i++) ascii[i] = text.units[i] < 128 ? (char)text.units[i] : '?';
    ascii[text.size] = 0;
    double made = cmr_host::strtod(ascii, nullptr);
    __builtin_free(ascii);
    return made;
}
inline double MathFloor(double value) { return __builtin_floor(value); }
inline bool MathIsValidNumber(double value) { return value - value == 0.0; }

inline datetime TimeGMT() { return cmr_host::time(nullptr); }

namespace cmr_host
{
// False where the bytes are no UTF-8, or hold U+0000, at which a text of MQL4 ends.
inline bool from_utf8(const char *bytes, int count, string &made)
{
    made.reserve(count);
    for (int i = 0; i < count;) {
        uchar lead = bytes[i++];
        int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        int code = more == 0 ? lead : lead & (0x3F >> more);
        if (lead == 0 || i + more > count) return false;
        for (; more > 0; more--) code = code << 6 | (bytes[i++] & 0x3F);
        if (code >= 0x10000) {
            made.add(0xD7C0 + (code >> 10));
            made.add(0xDC00 | (code & 0x3FF));
        } else {
            made.add(code);
        }
    }
    return true;
}

inline void print(int descriptor, const string &text)
{
    char *bytes = (char *)resized(nullptr, 3 * (cmr_size)text.size + 1);
    cmr_size count = 0;
    for (int i = 0; i < text.size; i++) {
        int code = text.units[i];
        if (code >= 0xD800 && code < 0xDC00 && i + 1 < text.size) {
            code = 0x10000 + ((code - 0xD800) << 10) + (text.units[++i] - 0xDC00);
        }
        int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        bytes[count++] = more == 0 ? code : (0xFF00 >> (more + 1) & 0xFF) | code >> 6 * more;
        for (; more > 0; more--) bytes[count++] = 0x80 | (code >> 6 * (more - 1) & 0x3F);
    }
    print(descriptor, bytes, count);
    __builtin_free(bytes);
}
inline void print(int descriptor, long value) { print(descriptor, IntegerToString(value)); }
inline void print(int descriptor, int value) { print(descriptor, IntegerToString(value)); }
inline void print(int descriptor, bool value) { print(descriptor, string(value ? "true" : "false")); }
inline void print(int descriptor, double value) { print(descriptor, StringFormat("%.16g", value)); }
inline void print(int descriptor, const char *value) { print(descriptor, string(value)); }
}

template <class... T> void Print(const T &...values)
{
    (cmr_host::print(2, values), ...);
    cmr_host::print(2, "\n", 1);
}

#endif
