"""The iris data that ships inside scikit-learn, as the file that the pipeline reads.

150 flowers, 50 of each of three species (Fisher, 1936). No download.
"""

from sklearn.datasets import load_iris


def raw_csv() -> bytes:
    """All flowers with their species, below a header: `sepal_length,...,species`."""
    data = load_iris(as_frame=True)
    table = data.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    text: str = table.assign(species=data.target_names[data.target]).to_csv(index=False)
    return text.encode()
