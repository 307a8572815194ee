"""What a toolkit reports when a job fails."""


class UserError(Exception):
    """The request or the data is at fault; the text says what is wrong with which."""


def library_text(fault: Exception) -> str:
    """What XGBoost says of a fault, without the addresses of its own code that follow."""
    return str(fault).partition("\nStack trace:")[0].strip()
