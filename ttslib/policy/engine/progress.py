"""The progress bar of drawing and training."""

from tqdm.auto import tqdm


class ProgressBar:
    """A progress bar over chains that shows tokens a second.

    Silent unless asked, and where there is nothing to do.
    """

    def __init__(self, total: int, shown: bool, unit: str = "chain"):
        self.tqdm = tqdm(total=total, unit=unit, disable=not (shown and total))
        self.tokens = 0

    def __enter__(self):
        return self.tick

    def tick(self, tokens: int):
        self.tokens += tokens
        self.tqdm.update()
        if not self.tqdm.disable and self.tqdm.n % 64 == 0:
            seconds = max(1e-9, self.tqdm.format_dict["elapsed"])
            self.tqdm.set_postfix_str(f"{self.tokens / seconds:,.0f} tokens/s")

    def __exit__(self, *_):
        self.tqdm.close()
