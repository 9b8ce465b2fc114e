"""What Hydra itself answers to the requests of `kvscope config batch`, in the same JSON.

Needs hydra-core 1.3.8 and omegaconf 2.3.x. The encoding is that of tests/golden/hydra.
"""

import contextlib
import copy
import math
import os
import warnings

from hydra import initialize_config_dir, version
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    QuotedString,
    Quote,
    RangeSweep,
    Sweep,
    Override,
)
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict, read_write

warnings.simplefilter("ignore")
version.setbase("1.3")

INT64 = range(-(2**63), 2**63)


def encode(value):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if value in INT64 else {"__int__": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"__float__": repr(value)}
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"__map__": [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, (Sweep, Glob)):
        return {"__sweep__": encode_sweep(value)}
    if isinstance(value, bytes):
        return {"__bytes__": value.hex()}
    raise TypeError(type(value).__name__)


def encode_sweep(sweep):
    if isinstance(sweep, ChoiceSweep):
        out = {
            "kind": "choice",
            "simple_form": sweep.simple_form,
            "shuffle": sweep.shuffle,
            "list": encode(sweep.list),
        }
        try:
            out["strings"] = [Override._get_value_element_as_str(item) for item in sweep.list]
        except Exception as error:
            out["strings_error"] = type(error).__name__
    elif isinstance(sweep, RangeSweep):
        out = {
            "kind": "range",
            "start": encode(sweep.start),
            "stop": encode(sweep.stop),
            "step": encode(sweep.step),
            "shuffle": sweep.shuffle,
        }
        try:
            items = []
            for item in sweep.range():
                if len(items) == 20:
                    break
                items.append(encode(item))
            out["first_items"] = items
        except Exception as error:
            out["items_error"] = type(error).__name__
    elif isinstance(sweep, IntervalSweep):
        out = {"kind": "interval", "start": encode(sweep.start), "end": encode(sweep.end)}
    else:
        out = {"kind": "glob", "include": encode(sweep.include), "exclude": encode(sweep.exclude)}
    if getattr(sweep, "tags", None):
        out["tags"] = sorted(sweep.tags)
    return out


def failure(stage, error):
    return {"error": {"stage": stage, "class": type(error).__name__, "message": str(error)}}


PARSER = OverridesParser.create()


def parse(word):
    try:
        override = PARSER.parse_overrides([word])[0]
    except Exception as error:
        return failure("parse", error)
    out = {
        "type": override.type.name,
        "key": override.key_or_group,
        "package": override.package,
        "key_element": override.get_key_element(),
        "value_type": override.value_type.name if override.value_type else None,
    }
    if override.is_sweep_override():
        out["sweep"] = encode_sweep(override._value)
        return out
    out["value"] = encode(override._value)
    try:
        out["value_as_str"] = override.get_value_element_as_str()
    except Exception as error:
        out["value_as_str_error"] = type(error).__name__
    if isinstance(override._value, QuotedString):
        out["quoted"] = "single" if override._value.quote == Quote.single else "double"
    return out


def words_that_fail(words):
    for word in words:
        answer = parse(word)
        if "error" in answer:
            return answer
    return None


@contextlib.contextmanager
def surroundings(request):
    before, folder = dict(os.environ), os.getcwd()
    try:
        if "env" in request:
            for name in [name for name in os.environ if name.startswith("APP_")]:
                del os.environ[name]
            os.environ.update(request["env"])
        os.chdir(request.get("cwd", folder))
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def loader_of(request):
    GlobalHydra.instance().clear()
    initialize_config_dir(
        config_dir=os.path.abspath(request["config_dir"]), job_name="app", version_base="1.3"
    )
    return GlobalHydra.instance().config_loader()


def job_config(cfg):
    cfg = copy.deepcopy(cfg)
    with read_write(cfg), open_dict(cfg):
        del cfg["hydra"]
    return cfg


def compose(request):
    failed = words_that_fail(request.get("overrides", []))
    if failed:
        return failed
    with surroundings(request):
        try:
            loader = loader_of(request)
            cfg = loader.load_configuration(
                config_name=request.get("config_name", "config"),
                overrides=request.get("overrides", []),
                run_mode=RunMode.RUN,
            )
            if "job_number" in request:
                with read_write(cfg), open_dict(cfg):
                    cfg.hydra.job.num = request["job_number"]
                    cfg.hydra.job.id = str(request["job_number"])
            HydraConfig.instance().set_config(cfg)
            choices = OmegaConf.to_container(cfg.hydra.runtime.choices)
            cfg = job_config(cfg)
            unresolved = encode(OmegaConf.to_container(cfg, resolve=False))
        except Exception as error:
            return failure("compose", error)
        out = {}
        try:
            out["cfg"] = encode(OmegaConf.to_container(cfg, resolve=True))
        except RecursionError as error:
            out = failure("resolve", error)
        except Exception as error:
            out = failure("resolve", error)
        out["cfg_unresolved"] = unresolved
        out["choices"] = {
            key: value for key, value in choices.items() if not key.startswith("hydra/")
        }
        return out


def expand(request):
    failed = words_that_fail(request.get("overrides", []))
    if failed:
        return failed
    with surroundings(request):
        try:
            loader = loader_of(request)
            cfg = loader.load_configuration(
                config_name=request.get("config_name", "config"),
                overrides=request.get("overrides", []),
                run_mode=RunMode.MULTIRUN,
            )
            HydraConfig.instance().set_config(cfg)
            params = cfg.hydra.sweeper.params or {}
            arguments = [f"{key}={value}" for key, value in params.items()]
            arguments += OmegaConf.to_container(cfg.hydra.overrides.task, resolve=False)
            parser = OverridesParser.create(config_loader=loader)
            size = cfg.hydra.sweeper.max_batch_size
            batches = BasicSweeper.split_arguments(parser.parse_overrides(arguments), size)
        except Exception as error:
            return failure("expand", error)
        out = {
            "jobs": [job for batch in batches for job in batch],
            "hydra_overrides": list(cfg.hydra.overrides.hydra),
        }
        if size is not None:
            out["batches"] = [len(batch) for batch in batches]
        return out


def answer(request):
    if "parse" in request:
        return parse(request["parse"])
    if "compose" in request:
        return compose(request["compose"])
    return expand(request["expand"])
