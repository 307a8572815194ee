"""What a toolkit reports when a job fails."""


class UserError(Exception):
    """The request or the data is at fault; the text says what is wrong with which."""
