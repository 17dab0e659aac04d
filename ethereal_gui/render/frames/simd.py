"""Eight lanes at once, spelled out: the compiler doesn't find them by itself in loops as short as a sprite's rows.

LLVM splits the vectors where a processor has narrower ones, so this is no machine's own code.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_LANES = 8
_VECTOR = ir.VectorType(ir.FloatType(), _LANES)
_INT32 = ir.IntType(32)


def _mask(lanes: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_INT32, _LANES), lanes)


def _address(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    """Where eight floats of an array begin, counted in elements from its first."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), _VECTOR.as_pointer())


def _broadcast(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    lane = builder.insert_element(undefined, value, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(lane, undefined, _mask([0] * _LANES))


@intrinsic
def add8(typing_context: Any, array: Any, offset: Any, weights: Any, scale: Any) -> Any:  # noqa: ARG001
    """``array.flat[offset:offset + 8] += weights[:8] * scale``; float32, both arrays C-contiguous, nothing checked."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _address(context, builder, signature.args[0], args[0], args[1])
        start = ir.Constant(args[1].type, 0)
        lanes = builder.load(_address(context, builder, signature.args[2], args[2], start), align=4)
        more = builder.fmul(lanes, _broadcast(builder, args[3]))
        builder.store(builder.fadd(builder.load(place, align=4), more), place, align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, weights, types.float32), generate


@intrinsic
def bump8(typing_context: Any, first: Any, inverse: Any, out: Any) -> Any:  # noqa: ARG001
    """``out[k] = max(0, 1 - (first + k)^2 inverse)^3`` for k in 0..7, and their sum; float32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def constant(values: list[float]) -> Any:
            return ir.Constant(_VECTOR, values)

        distance = builder.fadd(_broadcast(builder, args[0]), constant([float(k) for k in range(_LANES)]))
        square = builder.fmul(builder.fmul(distance, distance), _broadcast(builder, args[1]))
        rest = builder.fsub(constant([1.0] * _LANES), square)
        zero = constant([0.0] * _LANES)
        rest = builder.select(builder.fcmp_ordered(">", rest, zero), rest, zero)
        weights = builder.fmul(builder.fmul(rest, rest), rest)
        start = ir.Constant(ir.IntType(types.intp.bitwidth), 0)
        builder.store(weights, _address(context, builder, signature.args[2], args[2], start), align=4)
        total = weights
        for half in (4, 2, 1):
            turned = builder.shuffle_vector(
                total, ir.Constant(_VECTOR, ir.Undefined), _mask([(k + half) % _LANES for k in range(_LANES)])
            )
            total = builder.fadd(total, turned)
        return builder.extract_element(total, ir.Constant(_INT32, 0))

    return types.float32(types.float32, types.float32, out), generate
