"""Random overrides, biased to what grammars get wrong: quotes, escapes, blanks, numbers, calls."""

WORDS = """a b foo bar-baz x_1 _u null NULL Null true True FALSE false inf -inf nan NaN infinity yes no
on off y n 0 1 -1 +1 007 00 0x10 0b101 1_000 1__0 1_ _1 1e3 1e-3 1E+3 1.5e-07 .5 5. -.5 +.5 1.e3 1.5.6
1-2 3d 1:30 a:b a/b a.b /x/y ./z ../z *.txt a*b ? | a|b 100% $a $ @ a@b + - -- a-b C:\\x \\x \\\\ \\, \\=
a\\,b a\\ b \\( \\) \\[ \\] \\{ \\} \\: 9223372036854775807 9223372036854775808 -9223372036854775809
123456789012345678901234567890 1e400 1e-400 -0 -0.0 0.1 0.30000000000000004 1e16 1e15 123456789.0
${a} ${a.b} ${.a} ${..a.b} ${oc.env:HOME} ${a[0]} ${} ${a ${a{b} ${a${b}} x${a}y ${a}${b} ${hydra:job.name}
${oc.env:A,b} $$ $x ??? ""  '' """.split()
ODD = ["é", "~", "&", ";", "#", "!", "<", ">", "^", "`", "\n", "\t", " ", "  ", "=", "==", "(", ")", "[", "]",
       "{", "}", ",", ":", "'", '"', "\\", "\\'", '\\"', "$", "${", "@", "/", ".", "-", "+", "|", "?", "%", "*"]
QUOTED = ["", "a", "a b", "10", "9", "true", "null", " 5 ", "1.5", "1e3", "inf", "a,b", "a=b", "é", "${a}", "\\",
          "\\\\", "\\\\\\", "it", "x\\'y", 'x\\"y', "a:b", "[1]", "{a:1}", "1_0", "0x1", "abc ", " abc", "a\\b",
          "it\\'s", 'say \\"x\\"', "\\\\\\'", "TRUE", "+5", "-0", "٣", "#;!", "\n"]
KEYS = ["a", "a.b", "a.b.c", "a.0", "a.0.b", "0.a", "a.01", "a.1_0", "x-y", "_a", "$a", "a.$b", "a$b", "a/b",
        "a/b/c", "a@b", "a@b.c", "a/b@c", "a@", "a@_global_", "a@:b", "", "1", "a.", ".a", "a..b", "a/b.c", "a b",
        "hydra.run.dir", "hydra/launcher", "é", "a:b", "a@b@c", "a.1a", "/a", "a/", "a.b/c", "@b", "~a", "a~",
        "a.b@c", "hydra", "a.0x", "$", "a-", "-a", "a.-b", "a.00", "a.b-c.d_e", "[a]", "a[0]"]
BLANKS = ["", "", "", "", " ", "  ", "\t"]


class Words:
    def __init__(self, random):
        self.random = random

    def pick(self, items):
        return self.random.choice(items)

    def blank(self):
        return self.pick(BLANKS)

    def quoted(self):
        quote = self.pick("'\"")
        return quote + self.pick(QUOTED) + quote

    def plain(self):
        chance = self.random.random()
        if chance < 0.7:
            return self.pick(WORDS)
        if chance < 0.9:
            return "".join(self.pick(WORDS + [" "]) for _ in range(self.random.randint(2, 3)))
        return self.pick(WORDS) + self.pick(ODD)

    def number(self):
        chance = self.random.random()
        if chance < 0.5:
            return str(self.random.randint(-6, 12))
        if chance < 0.85:
            return str(self.random.choice([0.1, 0.5, 0.25, 1.5, 2.0, -1.5, 1e-3, 3.7, 0.05, 10.0, 2.5e-05]))
        return self.pick(["true", "null", "1e3", "inf", "nan", "'3'", "a", "0", "0.0", "-0.5", "1_0", "+2"])

    def listing(self, depth):
        size = self.random.randint(0, 3)
        inside = ",".join(self.blank() + self.element(depth + 1) + self.blank() for _ in range(size))
        return "[" + inside + self.pick(["", "", "", "", "", ","]) + "]"

    def mapping(self, depth):
        size = self.random.randint(0, 3)
        keys = ["a", "b", "c d", "1", "1.0", "true", "null", "x-y", "a.b", "2.5", "inf", "'q'", "${a}", "a\\:b", "0x1",
                "1_0", "$k", "a/b", "123456789012345678901", "-0", "1e3", "", "é"]
        inside = ",".join(
            self.blank() + self.pick(keys) + self.blank() + ":" + self.blank() + self.element(depth + 1)
            for _ in range(size)
        )
        return "{" + inside + "}"

    def call(self, depth):
        name = self.pick(["choice", "range", "sort", "shuffle", "tag", "glob", "interval", "int", "float", "str",
                          "bool", "choice", "range", "sort", "int", "str"])
        if self.random.random() < 0.03:
            name = self.pick(["foo", "Choice", "ranges", "sorted", "a-b", "1x", "sort "])
        arguments = []
        if name in ("range", "interval"):
            names = ["start", "stop", "step"] if name == "range" else ["start", "end"]
            size = self.random.randint(1, len(names))
            for i in range(size):
                prefix = names[i] + "=" if self.random.random() < 0.35 else ""
                arguments.append(prefix + self.number())
            if self.random.random() < 0.1:
                arguments.append(self.pick(["step=2", "stop=5", "foo=1", "start=1", "step=0.5", "1"]))
        elif name == "glob":
            arguments = [self.pick(["*", "a*", "[a,b*]", "include=*", "1", "['a*']", "[]", "x,exclude=y", "a,[b,c]", "null",
                                    "[ab]*", "*,exclude=[a*,b]", "*,null", "?", "'*'"])]
        else:
            homogeneous = self.random.random()
            size = self.random.choice([0, 1, 1, 1, 2, 2, 3])
            for _ in range(size):
                if homogeneous < 0.25:
                    arguments.append(self.number())
                elif homogeneous < 0.45:
                    arguments.append(self.quoted())
                elif homogeneous < 0.6:
                    arguments.append(self.pick(["a", "b", "c", "zz", "A"]))
                else:
                    arguments.append(self.element(depth + 1))
            if self.random.random() < 0.15:
                arguments.append(
                    self.pick(["reverse=true", "reverse=false", "reverse=1", "value=1", "sweep=choice(b,a)", "list=[3,1]",
                               "value='5'", "sweep=range(3)", "list=null", "value=null", "list='a'", "sweep=glob(*)"])
                )
        space = self.pick(["", "", "", " "])
        separator = self.pick([",", ",", ",", ", ", " ,"])
        return name + space + "(" + self.blank() + separator.join(arguments) + self.blank() + ")"

    def element(self, depth=0):
        chance = self.random.random()
        if depth < 3 and chance < 0.12:
            return self.listing(depth)
        if depth < 3 and chance < 0.2:
            return self.mapping(depth)
        if depth < 4 and chance < (0.5 if depth == 0 else 0.3):
            return self.call(depth)
        if chance < 0.65:
            return self.quoted()
        return self.plain()

    def value(self):
        text = self.element()
        while self.random.random() < 0.15:
            text += self.blank() + "," + self.blank() + self.element()
        if self.random.random() < 0.08:
            text += self.pick([" ", "\t", "  "])
        if self.random.random() < 0.06:
            text = " " + text
        if self.random.random() < 0.1 and text:
            at = self.random.randrange(len(text))
            text = self.pick([text[:at] + text[at + 1:], text[:at] + self.pick(ODD) + text[at:]])
        return text

    def word(self):
        chance = self.random.random()
        prefix = self.pick(["", "", "", "", "+", "++", "~"])
        if chance < 0.03:
            prefix = self.pick(["+++", "+ ", "~~", "~+", " ", "-", "!"])
        key = "a" if self.random.random() < 0.6 else self.pick(KEYS)
        if self.random.random() < 0.03:
            return prefix + key
        if self.random.random() < 0.02:
            return prefix + key + " = " + self.value()
        return prefix + key + "=" + self.value()


def requests(random, count):
    words = Words(random)
    for _ in range(count):
        yield {"parse": words.word()}
