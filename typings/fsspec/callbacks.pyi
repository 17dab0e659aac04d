from typing import Any

class Callback:
    value: int
    size: int | None
    def __init__(self, size: int | None = ..., value: int = ..., hooks: dict[str, Any] | None = ...) -> None: ...
    def call(self, hook_name: str | None = ..., **kwargs: Any) -> None: ...
