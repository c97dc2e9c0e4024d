from fxnorm.compiling import compiled


def test_functions_compile_where_no_code_can_be_kept():
    """A function of no file has no place for its code, as those of a read-only installation."""
    names = {}
    exec("def double(x):\n    return x + x\n", names)
    assert compiled(names["double"])(21.0) == 42.0
