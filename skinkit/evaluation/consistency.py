"""Arithmetic on rounded scores and supports, which tells whether published numbers can be true."""


def f1_agrees(precision, recall, f1, digits=2):
    """Tells whether a published F1 fits its published precision and recall, all three rounded.

    Args:
        precision: Float, published value, 0 to 1.
        recall: Float, published value, 0 to 1.
        f1: Float, published value, 0 to 1.
        digits: Integer, decimals they were printed with.

    Returns:
        Boolean.
    """
    half = _half(digits)
    low = harmonic_mean(max(precision - half, 0.0), max(recall - half, 0.0))
    high = harmonic_mean(min(precision + half, 1.0), min(recall + half, 1.0))
    return bool(low - half <= f1 <= high + half)


def harmonic_mean(precision, recall):
    """F1 of a precision and a recall; 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def implied_specificity(precision, recall, prevalence):
    """Specificity that a binary precision and recall imply at this prevalence.

    Args:
        precision: Float, above 0 and up to 1.
        recall: Float, 0 to 1.
        prevalence: Float, share of positives among all images, between 0 and 1.

    Returns:
        float; below 0 the three numbers cannot belong together.

    Raises:
        ValueError: if precision is not above 0 or prevalence not between 0 and 1.
    """
    if not (0 < precision <= 1 and 0 < prevalence < 1):
        raise ValueError(
            "precision must be in (0, 1] and prevalence in (0, 1). "
            f"Received: precision={precision}, prevalence={prevalence}"
        )
    false_alarms = recall * prevalence * (1 - precision) / precision
    return 1.0 - false_alarms / (1 - prevalence)


def _half(digits):
    # The slack keeps exact halves, which may be printed either way, on the safe side.
    return 0.5 * 10.0**-digits + 1e-9
