"""Random trees of config files, with overrides, biased to what composition gets wrong."""

import os

YAML_SCALARS = ["1", "0", "-3", "1.5", "1e-3", "true", "false", "yes", "null", "~", "abc", "'10'", '"a b"', "010", "0x10",
                "1:30", "1_000", ".inf", ".nan", "???", "''", "é", "a: b" , "-", "+.5", "0o17", "[]", "{}", "[1, 2]", "[a, [b]]",
                "{x: 1}", "{x: {y: 2}}", "!!int '7'", "!!float 3", "!!str 1", "!!bool 'yes'", "!!null x", "!!int 0b11",
                "!!float 1e3", "!!int a", "123456789012345678901", "-9223372036854775809", "0xffffffffffffffffff",
                "=", "no", "on", "2001-01-01", "1_", "!!seq [1]", "!!map {x: 1}", "! 1", "'???'", "|\n    text\n", "1.0",
                "1e400", "0.1", "1:30.5", "+1", "1e3", "'true'", "\\x", "a\\b"]
INTERPOLATIONS = ["${a}", "${b}", "${g.x}", "${.x}", "${..x}", "${...x}", "${l[0]}", "${l.0}", "${n.m.x}", "x${a}y", "${a}${b}",
                  "\\${a}", "\\\\${a}", "${oc.env:APP_X}", "${oc.env:APP_NO,d}", "${oc.env:APP_NO,null}", "${oc.env:APP_NO}",
                  "${oc.select:a}", "${oc.select:zz}", "${oc.select:zz,5}", "${oc.select:zz,'x y'}", "${oc.select:g.x,1}",
                  "${oc.select:a.b,7}", "${oc.select:.x,3}", "${oc.decode:'[1, 2]'}", "${oc.decode:'{a: 1}'}", "${oc.decode:abc}",
                  "${oc.decode:'1.5'}", "${oc.decode:${a}}", "${oc.decode:null}", "${oc.decode:'${b}'}", "${oc.decode:\"'q'\"}",
                  "${oc.decode:'\\'q\\''}", "${oc.decode:' 5 '}", "${oc.create:[1,2]}", "${oc.create:{x:1,y:${a}}}",
                  "${oc.create:${g}}", "${oc.create:'a: 1'}", "${oc.create:abc}", "${oc.create:5}", "${oc.create:null}",
                  "${oc.dict.keys:g}", "${oc.dict.values:g}", "${oc.dict.keys:n}", "${oc.dict.values:n.m}", "${oc.dict.keys:.}",
                  "${oc.dict.keys:a}", "${oc.dict.keys:zz}", "${oc.dict.values:..n}", "${oc.deprecated:a}", "${oc.deprecated:zz}",
                  "${hydra:job.name}", "${hydra:nothing}", "${hydra:job.nothing}", "${hydra:run.dir}", "${hydra:sweep.subdir}",
                  "${hydra:runtime.choices.db}", "${hydra:job}", "${g}", "${n}", "${l}", "t ${g}", "t ${l}", "${nosuch:1}",
                  "${zz}", "${a.b}", "${}", "${a", "${a.}", "${a}}", "${a b}", "${ a }", "${g[x]}", "${g.${k}}", "${${k}}",
                  "${oc.env:${k}}", "${oc.select:${k}}", "${l[${i}]}", "${l.${i}}", "${l[-1]}", "${l[9]}", "${l[x]}", "$a", "$${a}",
                  "${oc.select:zz,}", "${oc.select:,1}", "${oc.env:APP_X,a,b}", "${oc.select:zz,[1,${a}]}", "${oc.select:zz,{a:${b}}}",
                  "${oc.select:zz,${g}}", "${oc.select:g,1}", "${oc.select:zz,null}", "${oc.select:zz,a:b}", "${oc.select:zz,a b}",
                  "${oc.select:zz, 'a' }", "${oc.select:zz,'a' b}", "${oc.select:zz,\"a${b}c\"}", "${oc.select:zz,\\,x}",
                  "${oc.select:m0,4}", "${m0}", "${now:%%}", "${now:x}", "${.}", "${n.m}", "${deep.p.q}", "${oc.select:zz,123456789012345678901}",
                  "${oc.select:zz,é}", "${oc.select:zz,'é'}", "${oc.select:zz,.5}", "${oc.select:zz,1_000}", "${oc.select:zz,TRUE}",
                  "${g.1}", "${.1}", "${oc.select:g.x.y,d}", "${oc.select:l.7,d}", "${oc.select:l.x,d}"]
# What fails wherever it stands; kept rare, or it would hide everything else.
FAILING = {"!!int a", "=", "!!map {x: 1}", "${oc.env:APP_NO}", "${oc.create:5}", "${oc.dict.keys:a}", "${oc.dict.keys:zz}",
           "${oc.deprecated:zz}", "${nosuch:1}", "${zz}", "${a.b}", "${}", "${a", "${a.}", "${a}}", "${a b}", "${l[-1]}", "${l[9]}",
           "${l[x]}", "${oc.env:APP_X,a,b}", "${oc.select:zz,'a' b}", "${oc.select:zz,é}", "${.}", "${g.1}", "${m0}", "a: b", "-",
           "${oc.select:l.x,d}", "2001-01-01", "${...x}", "${oc.env:${k}}", "${.1}", "${l.${i}}", "${l[${i}]}", "${g.${k}}",
           "${oc.decode:'\\'q\\''}", "\\\\${a}", "${oc.select:,1}", "${..x}", "${oc.dict.values:..n}", "! 1", "${.x}"}
KEYS = ["a", "b", "k", "i", "g", "l", "n", "m0", "x", "y", "deep", "1", "1.5", "true", "~", "'1'", "'a b'", "null", "0x1", "no", "é"]
GROUPS = ["db", "srv", "db/sub", "exp"]
OPTIONS = ["one", "two", "three"]
HEADERS = ["", "", "", "", "", "# @package _global_\n", "# @package _global_\n", "# @package db\n", "# @package x.y\n",
           "# @package _global_.z\n", "# @package _group_\n", "# @package a\n# @package b\n", "# text\n# @package q\n",
           "\n\n#@package q\n", "# @package a b\n", "# @package\n", "## @package q\n", "# @other x\n# @package q\n", "  # @package q\n",
           "#\t@package q\n", "# @package  q\n"]


class Trees:
    def __init__(self, random):
        self.random = random
        self.tame = True

    def pick(self, items):
        return self.random.choice(items)

    def pick_value(self, items):
        """One of the items, seldom one that fails."""
        text = self.pick(items)
        while text in FAILING and not self.chance(0.04 if self.tame else 0.5):
            text = self.pick(items)
        return text

    def chance(self, probability):
        return self.random.random() < probability

    # --- files --------------------------------------------------------------------------------

    def scalar(self):
        if self.chance(0.4):
            text = self.pick_value(INTERPOLATIONS) if self.chance(0.6) else self.pick(["${a}", "${b}", "${g.x}", "${n}", "${l}"])
            quoted = "'" + text.replace("'", "''") + "'"
            return text if self.chance(0.03 if self.tame else 0.15) and text.startswith("${") and ": " not in text else quoted
        return self.pick_value(YAML_SCALARS) if self.chance(0.6) else self.pick(["1", "abc", "true", "2.5", "null", "[1, 2]", "{x: 1}"])

    def mapping(self, indent, depth):
        lines = []
        used = set()
        for _ in range(self.random.randint(1, 4)):
            key = self.pick(KEYS[:10]) if self.chance(0.95 if self.tame else 0.8) else self.pick(KEYS)
            if key in ("~", "null") and self.tame:
                key = "x"
            if key in used and not self.chance(0.002 if self.tame else 0.05):
                continue
            used.add(key)
            if depth < 2 and self.chance(0.25):
                lines.append(f"{indent}{key}:")
                lines.append(self.mapping(indent + "  ", depth + 1))
            elif self.chance(0.05):
                lines.append(f"{indent}{key}: &{self.pick('pq')}{depth} {{x: {self.random.randint(0, 5)}, y: 2}}")
            elif self.chance(0.04):
                lines.append(f"{indent}<<: {self.pick(['{x: 1, z: 3}', '{y: 5}', '[{x: 8}, {x: 9, w: 0}]'])}")
                if self.chance(0.5):
                    lines.append(f"{indent}<<: {self.pick(['{x: 7, v: 3}', '{y: 6, x: 0}'])}")
            else:
                lines.append(f"{indent}{key}: {self.scalar()}")
        return "\n".join(lines) if lines else f"{indent}a: 1"

    def usual(self):
        """A body in which the interpolations above find something."""
        items = ["a: 1", "b: text", "k: a", "i: 0", "g: {x: 10, y: ${a}}", "l: [5, '${b}', {x: 1}]", "n: {m: {x: 3}, x: ${.m.x}}",
                 "m0: ???", "deep: {p: ${n}, x: '${.p.m.x}'}"]
        lines = [item if "{" not in item or "${" not in item else item.replace("${a}", "'${a}'").replace("${.m.x}", "'${.m.x}'")
                 .replace("${n}", "'${n}'").replace("''", "'") for item in items]
        self.random.shuffle(lines)
        return "\n".join(lines if self.tame else lines[: self.random.randint(4, len(lines))])

    def item(self, primary, in_group):
        chance = self.random.random() * (0.5 if self.tame and self.chance(0.8) else 0.82 if self.tame else 1)
        if self.tame and self.chance(0.2):
            return "- _self_"
        group = self.pick(GROUPS) if not in_group else self.pick(["sub", "/db", "/srv", "db", "/db/sub"])
        option = self.pick(OPTIONS)
        if chance < 0.4:
            text = f"{group}: {option}"
        elif chance < 0.5:
            text = f"{group}: {self.pick(['null', '[one, two]', '[]', '[one]', 'one.yaml'] if self.tame else ['???', 'nothere', '1', '[1]', '{a: b}', 'true'])}"
        elif chance < 0.58:
            text = f"{self.pick(['optional'] if self.tame else ['optional', 'override', 'optional override', 'optional ', 'foo'])} {group}: {option}"
        elif chance < 0.7:
            package = self.pick(["p", "_global_", "_here_", "p.q", "_group_", "_group_.r", "_global_.s", "_here_.t", "a:b", ""])
            text = f"{group}@{package}: {option}"
        elif chance < 0.76:
            text = self.pick(["base", "/base", "/db/one", "/db/two", "/base.yaml", "/base@p"] if self.tame else ["base", "/base", "db/one", "/db/two", "base.yaml", "base@p", "optional base", "optional nothere", "nothere",
                              "_self_", "null", "5", "db/one@_here_", "listy", "scalar"])
        elif chance < 0.82:
            text = f"{group}: '${{{self.pick(['db', 'srv', 'db/sub', 'zz', 'defaults.0.db'])}}}'"
        else:
            text = "_self_"
        return "- " + text

    def file(self, group, primary):
        text = self.pick(HEADERS[:12] if self.tame else HEADERS) if self.chance(0.4 if group else 0.1) else ""
        if self.chance(0.01 if self.tame else 0.05):
            return text + self.pick(["", "text", "'a: 1'", "5", "[1, 2]", "- x\n- y", "null", "true", "!!str 1", "'[1]'"])
        if self.chance(0.9 if primary else 0.12 if self.tame else 0.3):
            count = self.random.randint(1, 4 if primary else 2)
            items = [self.item(primary, bool(group)) for _ in range(count)]
            if self.tame:  # one option of a group only
                items = list({item.split(":")[0].replace("optional ", ""): item for item in items}.values())
                items.sort(key=lambda item: "override" in item)
                if primary and items and self.chance(0.3):
                    items.append(f"- override {items[0][2:].split(':')[0].split(' ')[-1].split('@')[0]}: {self.pick(OPTIONS)}")
            if self.chance(0.6) and "- _self_" not in items:
                items.insert(self.random.randint(0, len(items)), "- _self_")
            text += "defaults:\n" + "\n".join("  " + item for item in items) + "\n"
        if primary and self.chance(0.8):
            text += self.usual() + "\n"
            if self.chance(0.5):
                text += f"extra: '{self.pick_value(INTERPOLATIONS).replace(chr(39), chr(39) * 2)}'\n"
        else:
            text += self.mapping("", 0) + "\n"
        if primary and self.chance(0.06):
            text += self.pick(["hydra: {searchpath: [more]}\n", "hydra:\n  searchpath: ['${oc.env:APP_DIR}']\n", "hydra: {job: {name: j}}\n",
                               "hydra: {searchpath: [nowhere, more, third]}\n", "hydra: {searchpath: ['file://more']}\n",
                               "hydra: {searchpath: ['${sp}', more]}\nsp: third\n", "hydra: {searchpath: text}\n", "hydra: {run: {dir: d}}\n",
                               "hydra: {job: {nothing: 1}}\n", "hydra: {searchpath: [1]}\n", "hydra: {searchpath: null}\n"])
        return text

    def write(self, folder):
        conf = os.path.join(folder, "conf")
        files = {"config.yaml": self.file("", True), "base.yaml": self.file("", False), "listy.yaml": "- 1\n- {x: 2}\n",
                 "scalar.yaml": "word\n"}
        for group in GROUPS:
            for option in OPTIONS:
                if self.tame or self.chance(0.9):
                    files[f"{group}/{option}.yaml"] = self.file(group, False)
        for name, text in files.items():
            path = os.path.join(conf, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as out:
                out.write(text)
        for more in ("more", "third"):
            for name, text in ((f"db/{more}.yaml", f"from: {more}\n"), ("db/one.yaml", f"shadow: {more}\n"), ("srv/far.yaml", "far: 1\n")):
                path = os.path.join(folder, more, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
        return conf

    # --- overrides ------------------------------------------------------------------------------

    def value(self):
        return self.pick(["1", "2.5", "abc", "true", "null", "[1,2]", "{x:5}", "{x:5,z:6}", "'10'", "\"q\"", "???", "'${a}'", "${b}",
                          "${g}", "[]", "{}", "{1:2}", "{null:1}", "{true:1,1:2}", "123456789012345678901", "1.0", "''", "{x:{y:1}}",
                          "'${a'", "${oc.env:APP_X}", "text", "3", "[${a},x]", "str(5)", "int('7')", "'a b'", "a:b", "inf", "5", "10"])

    def likely_override(self):
        """An override that has a good chance to be accepted."""
        chance = self.random.random()
        if chance < 0.25:
            group = self.pick(["db", "srv", "exp"])
            if self.chance(0.7):
                return f"+{group}={self.pick(OPTIONS)}"
            return f"{group}={self.pick(['one', 'two', 'three', '[one,two]', 'one.yaml', '[]'])}"
        if chance < 0.35:
            return f"+{self.pick(['db/sub', 'srv@p', 'exp@_global_', 'db@q.r', 'exp'])}={self.pick(OPTIONS)}"
        if chance < 0.4:
            return self.pick(["~g.x", "~n", "~a=1", "~a=1.0", "~a=true", "~l", "~b=text", "~n.m={x:3}", "~n.m={x:3.0}", "~i=0", "~i=false",
                              "~g.x=10", "~deep.p", "~deep.p.x", "~l=[5,text,{x:1}]", "~g", "~k=a", "~db", "~srv=one", "~extra"])
        if chance < 0.43:
            return self.pick(["hydra.searchpath=[more]", "hydra.searchpath=[third,more]", "hydra.job.name=x", "hydra.run.dir=abc"])
        if chance < 0.65:
            return f"{self.pick(['a', 'b', 'k', 'i', 'g', 'g.x', 'g.y', 'l', 'l.0', 'n', 'n.m', 'n.m.x', 'm0', 'l.2', 'n.x', 'deep.p'])}={self.value()}"
        if chance < 0.85:
            return f"+{self.pick(['new', 'new.sub', 'g.new', 'a.sub', 'a.sub.t', 'm0', 'm0.x', 'deep.p.x', 'deep.q', 'n.m.y', 'l.2.y', 'g', 'db.q', 'extra.x', 'b.1', 'n.x.y'])}={self.value()}"
        return f"++{self.pick(['a', 'new', 'a.sub', 'g.x', 'g', 'n.m.z', 'l.2.x', 'l', 'deep.p.x', 'm0', 'extra', 'b.c'])}={self.value()}"

    def override(self):
        if self.tame and self.chance(0.9):
            return self.likely_override()
        chance = self.random.random()
        prefix = self.pick(["", "", "", "+", "+", "++", "~"])
        keys = ["a", "b", "g", "g.x", "g.y", "l", "l.0", "l.1", "l.9", "l.x", "n.m.x", "n.m", "n.new", "new", "new.sub", "a.sub", "a.sub.t",
                "m0", "m0.x", "deep.p.x", "deep.x", "k", "zz.q", "extra", "extra.x", "g.1", "i", "0.a", "l.2.x", "l.2", "l.00", "deep.p",
                "db.x", "db.a", "srv.a", "_self_", "defaults", "n.x", "a.1", "g.true", "db"]
        if chance < 0.25:
            group = self.pick(["db", "srv", "db/sub", "exp", "db@p", "srv@_global_", "db/sub@x.y", "db@db", "db@_here_", "zzz", "db@", "exp@_global_"])
            option = self.pick(["one", "two", "three", "null", "nothere", "[one,two]", "one.yaml", "'one'", "more", "'null'", "[]", "1", "true",
                                "{x:1}", "[one]", "far"])
            if prefix == "~" and self.chance(0.6):
                return prefix + group
            return f"{prefix}{group}={option}"
        if chance < 0.29:
            return self.pick(["hydra.searchpath=[more]", "hydra.searchpath=[third,more]", "hydra.job.name=x", "+hydra.searchpath=[more]",
                              "hydra.run.dir=abc", "hydra.nothing=1", "+hydra.nothing=1", "hydra.searchpath=more", "hydra.verbose=true",
                              "hydra.searchpath=null", "hydra/launcher=basic", "hydra/launcher=nothere", "hydra.mode=MULTIRUN",
                              "hydra.job.env_set.A=b", "+hydra.job.env_set.A=b", "hydra.job.config.override_dirname.kv_sep=-"])
        key = self.pick(keys)
        if prefix == "~" and self.chance(0.5):
            return prefix + key
        return f"{prefix}{key}={self.value()}"

    def request(self, folder):
        self.tame = self.chance(0.75)
        conf = self.write(folder)
        overrides = [self.override() for _ in range(self.random.choice([0, 1, 1, 1, 1, 2] if self.tame else [0, 1, 2, 3]))]
        names = ["config"] * 14 + ["config.yaml"] + ["base", "db/one"] * self.chance(0.1) + ([] if self.tame else ["nothere", "scalar", "listy"])
        name = self.pick(names)
        return {"config_dir": conf, "config_name": name, "overrides": overrides, "cwd": folder,
                "env": {"APP_X": self.pick(["val", "5", "${a}", "[1]", ""]), "APP_DIR": "more"}}


def requests(random, count, folder):
    trees = Trees(random)
    for i in range(count):
        yield {"compose": trees.request(os.path.join(folder, f"tree{i:05d}"))}
