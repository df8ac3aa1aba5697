import difflib
import itertools

import pandas as pd
import pytest

from skinkit.papers import claims
from skinkit.papers.claims import COLUMNS, load_claims, printed_check
from skinkit.papers.published import DOCUMENTS

CLAIM = {"claim": "Soft attention helps", "place": "Section 6"}
PAIR = {
    **{"what": "Soft attention", "protocol": "corrected", "metric": "macro_recall", "expects": "higher"},
    **{"first": "koefler2023/table4b/cnn-sa", "second": "koefler2023/table4a/cnn"},
}
PRINTED = {"published": "koefler2023/text/attention-gain-ham10000", "metric": "gain"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes the claims of koefler2023, the only ones there are."""
    monkeypatch.setattr(claims, "FOLDER", tmp_path)

    def write(*rows):
        (tmp_path / "koefler2023").mkdir(exist_ok=True)
        table = pd.DataFrame(rows).reindex(columns=COLUMNS)
        table.to_csv(tmp_path / "koefler2023" / "claims.csv", index=False)

    return write


def test_all_claims_can_be_read_and_each_has_its_place():
    table = load_claims()
    assert list(table.columns) == ["document", *COLUMNS]
    assert set(table["document"]) == set(DOCUMENTS) - {"datta2021"}
    assert (table.groupby("document")["claim"].nunique() >= 8).all()
    assert (table[["claim", "place"]] != "").all(axis=None)
    assert not table.duplicated().any()
    assert pd.concat([load_claims(key) for key in table["document"].unique()]).equals(
        table.set_index(table.groupby("document").cumcount())
    )


def test_no_claim_is_written_in_two_ways():
    for _, found in load_claims().groupby("document"):
        for one, other in itertools.combinations(found["claim"].unique(), 2):
            assert difflib.SequenceMatcher(None, one, other).ratio() < 0.95, (one, other)


def test_a_test_is_a_pair_a_printed_number_or_a_reason(write):
    write(CLAIM | PAIR, CLAIM | PRINTED, CLAIM | {"not_tested": "Needs a clinic"})
    table = load_claims()
    assert table["first"].tolist() == [PAIR["first"], "", ""]
    assert table["not_tested"].tolist() == ["", "", "Needs a clinic"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (CLAIM, "A row has claim and place, and one test: what, first, .*Received: claim, place"),
        (CLAIM | PAIR | PRINTED, "one test: .*Received: .*published"),
        (CLAIM | PAIR | {"expects": ""}, "one test: .*Received: "),
        (CLAIM | PRINTED | {"place": ""}, "A row has claim and place"),
        (CLAIM | PAIR | {"first": "koefler2023/table4b/cnn-as"}, "Did you mean koefler2023/table4b/cnn-sa"),
        (
            CLAIM | PAIR | {"second": "koefler2023/table5a/cnn"},
            "are not compared. Add the pair to COMPARISONS",
        ),
        (CLAIM | PAIR | {"expects": "more"}, "Expectations are higher, lower, not higher, not lower"),
        (CLAIM | PAIR | {"protocol": "as_describe"}, "Did you mean as_described"),
        (
            CLAIM | PRINTED | {"published": PRINTED["published"] + "0"},
            "Did you mean koefler2023/text/attention",
        ),
        (CLAIM | PRINTED | {"metric": "gains"}, "Numbers of koefler2023/text/.* are gain. Received: 'gains'"),
        (
            CLAIM | {"published": "koefler2023/table5b/cnn-sa", "metric": "class_weight"},
            "Numbers of koefler2023/table5b/cnn-sa are",
        ),
    ],
)
def test_a_row_that_tests_nothing_is_refused_with_its_line(write, row, message):
    write(CLAIM | PRINTED, row)
    with pytest.raises(ValueError, match=f"koefler2023/claims.csv, row 3: .*{message}"):
        load_claims()


def test_a_claim_has_one_place(write):
    write(CLAIM | PAIR, CLAIM | PRINTED | {"place": "Section 7"})
    with pytest.raises(ValueError, match="one place. Received several: 'Soft attention helps'"):
        load_claims("koefler2023")


def test_unknown_columns_and_documents_are_named(write, tmp_path):
    write(CLAIM | PRINTED)
    with pytest.raises(ValueError, match="Documents with claims are koefler2023. .*Did you mean koefler2023"):
        load_claims("kofler2023")
    path = tmp_path / "koefler2023" / "claims.csv"
    path.write_text(path.read_text().replace("expects", "expected"))
    with pytest.raises(ValueError, match="has the columns claim, place, .*: 'expect"):
        load_claims()


def test_the_check_of_a_printed_number_is_that_of_the_rules():
    assert (
        printed_check(**{"row": PRINTED["published"], "metric": "gain"}) == "ok: +3.0 points, relative +3.4 %"
    )
    with pytest.raises(
        ValueError, match="No rule checks the macro_recall of gessert2019/table5/densenet121-none"
    ):
        printed_check("gessert2019/table5/densenet121-none", "macro_recall")
