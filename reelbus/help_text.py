"""What stands at the end of a command's help."""


def examples(*lines: str) -> str:
    """Write the end of a command's help; click keeps lines after a backspace character as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
