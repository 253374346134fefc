"""The default dataset: "Human Face Emotions" of Kaggle, five class folders."""

from pathlib import Path

from contract.errors import reason_of
from training.datasets.faces import DatasetError

HANDLE = "samithsachidanandan/human-face-emotions"


def download() -> Path:
    """The folder of the downloaded dataset; kagglehub caches it.

    Raises:
        DatasetError: Kaggle is unreachable or refuses the request.
    """
    import kagglehub
    from kagglehub import exceptions

    refusals = (
        exceptions.BackendError,
        exceptions.CredentialError,
        exceptions.DataCorruptionError,
        exceptions.KaggleApiHTTPError,
        exceptions.NotFoundError,
        exceptions.UnauthenticatedError,
    )
    try:
        return Path(kagglehub.dataset_download(HANDLE))
    except (OSError, *refusals) as error:  # what requests raises without a network is an OSError
        raise DatasetError(
            f"the dataset {HANDLE} could not be downloaded from Kaggle ({_first_line(error)}). Either "
            "connect this machine and, if Kaggle requires an account, put its API key into "
            "~/.kaggle/kaggle.json or KAGGLE_USERNAME and KAGGLE_KEY; or get faces elsewhere and pass them: "
            "--data FOLDER (a folder of pictures for each emotion) or --data FILE.npz"
        ) from error


def _first_line(error: Exception) -> str:
    return reason_of(error)[:200]
