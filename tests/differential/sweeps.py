"""Random sweeps over one folder of configs."""

import os

from words import Words

FILES = {
    "config.yaml": "defaults:\n  - model: toy\n  - policy: full\n  - _self_\nseed: 0\ncfg: 4.5\nname: x\nsize: [64, 64]\nnote: null\n"
    "sub: {a: 1, b: 2}\n",
    "model/toy.yaml": "name: toy\n",
    "model/inf.yaml": "name: inf\n",
    "model/a.b.yaml": "name: ab\n",
    "policy/full.yaml": "name: full\n",
    "policy/h2o.yaml": "name: h2o\n",
    "policy/h3.yaml": "name: h3\n",
    "policy/snap.yaml": "name: snap\n",
    "policy/[x].yaml": "name: x\n",
    "policy/nested/deep.yaml": "name: deep\n",
    "exp/one.yaml": "# @package _global_\nhydra: {sweeper: {params: {seed: '1,2'}}}\n",
    "exp/two.yaml": "# @package _global_\nhydra: {sweeper: {params: {seed: 5, cfg: 'range(3)'}}}\n",
    "exp/three.yaml": "# @package _global_\nhydra: {sweeper: {params: {+new: 1.50, name: true, seed: '${cfg}'}, max_batch_size: 2}}\n",
    "exp/four.yaml": "# @package _global_\nhydra: {sweeper: {params: {note: null}}}\n",
    "exp/five.yaml": "# @package _global_\nhydra: {sweeper: {params: {size: [1, 2]}}}\n",
    "exp/six.yaml": "# @package _global_\nhydra: {sweeper: {params: {name: \"'a,b',c\", 1: 2}}}\n",
    "exp/seven.yaml": "# @package _global_\nhydra: {sweeper: {params: {policy: 'glob(h*)', model: 'toy,inf'}}}\n",
}
VALUES = ["1,2", "1,2,3", "a,b", "range(3)", "range(1,6,2)", "range(1,stop=6,step=2)", "choice(1,2)", "choice('a,b',c)", "sort(3,1,2)",
          "sort('10','9')", "sort(10,9,reverse=true)", "sort(range(5,0,-1))", "'a,b','c'", "\"x\",y", "[1,2],[3]", "{a:1},{b:2}", "choice([1],[2,3])",
          "null,1", "true,false", "1.0,2", "1e3,2", "range(0,1,0.25)", "range(0.1,0.5,0.1)", "range(3,0)", "range(0)", "int(1.7,2.2)", "str(1,2)",
          "float(1,2)", "int('5','6')", "bool('true','FALSE')", "a\\,b,c", "a b,c", "'it\\'s',x", "interval(0,1)", "tag(t,choice(1,2))",
          "tag(t,interval(0,1))", "choice(choice(1,2),3)", "choice()", "range(0,3,0)", "5", "abc", "[1,2]", "null", "'q'", "${seed},2", "'${cfg}',b",
          "1,2,", ",1", "1,,2", "x,y ", "1 , 2", "''", "'',a", "range(2),5", "choice(a,b),c", "é,a", "'é',a", "$a,b", "a:b,c", "C:\\x,y",
          "123456789012345678901,1", "range(4,step=2)", "range(step=2,start=1,stop=4)", "int(range(0.5,3.5))", "float(range(1,3))",
          "sort(choice(b,a))", "sort(choice('b','a'),reverse=true)", "choice(sort(2,1))", "choice({a:[1,'x y']},{})", "inf,nan", "???,1",
          "glob(*)", "glob(h*)", "glob([h*,s*])", "glob(*,exclude=h*)", "glob(h?)", "glob([!h]*)", "glob('[x]')", "glob([f]*)", "glob(*o)",
          "glob(nothing)", "sort(a,B,c)", "sort(1,2.5,true)", "a=b,c", "str(true,false)", "str([1,2])", "int([1.5,2.5])"]


class Sweeps:
    def __init__(self, random, conf):
        self.random = random
        self.words = Words(random)
        self.conf = conf

    def pick(self, items):
        return self.random.choice(items)

    def override(self):
        chance = self.random.random()
        if chance < 0.2:
            group = self.pick(["model", "policy", "model", "policy", "+exp", "exp", "zz", "policy@p", "+policy@p", "policy/nested"])
            value = self.pick(["toy,inf", "full,h2o", "glob(*)", "glob(h*)", "one", "choice(full,snap)", "nothere,full", "h2o", "[full,h2o]",
                               "'full',h2o", "glob([h*,f*],exclude=h3)", "glob(*,[h3])", "1,2", "a.b", "glob('h*')", "sort(h3,h2o)", "one,two"])
            return f"{group}={value}"
        if chance < 0.28:
            return "+exp=" + self.pick(["one", "two", "three", "four", "five", "six", "seven"])
        if chance < 0.36:
            return self.pick(["hydra.sweep.dir=abc", "hydra.job.name=a,b", "hydra.sweeper.max_batch_size=2", "hydra.sweeper.max_batch_size=0",
                              "hydra.sweeper.params={seed:'1,2'}", "hydra.sweeper.params.seed='3,4'", "+hydra.sweeper.params.seed='3,4'",
                              "hydra.sweeper.params={cfg:'choice(1,2)',seed:7}", "hydra.verbose=true", "hydra.sweeper.max_batch_size=null",
                              "hydra.sweeper.params={seed:null}", "hydra.sweeper.params={name:true,seed:1.0}", "+hydra.new=1",
                              "hydra.sweeper.params={seed:[1,2]}", "hydra.run.dir=x", "hydra/launcher=basic", "hydra.sweeper.max_batch_size=3"])
        key = self.pick(["seed", "cfg", "name", "size", "note", "sub.a", "+new", "++seed", "++new", "size.0", "sub", "~note", "~seed", "~sub.a",
                         "~sub", "~nothere", "nothere", "seed", "cfg", "name"])
        if key.startswith("~") and self.random.random() < 0.6:
            return key
        if self.random.random() < 0.15:
            return f"{key}={self.words.value()}"
        return f"{key}={self.pick(VALUES)}"

    def request(self):
        overrides = [self.override() for _ in range(self.pick([0, 1, 1, 2, 2, 2, 3]))]
        return {"config_dir": self.conf, "config_name": "config", "overrides": overrides, "env": {}}


def requests(random, count, folder):
    conf = os.path.join(folder, "conf")
    for name, text in FILES.items():
        path = os.path.join(conf, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
    sweeps = Sweeps(random, conf)
    for _ in range(count):
        yield {"expand": sweeps.request()}
