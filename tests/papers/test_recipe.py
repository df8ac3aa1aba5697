import dataclasses
import json

import pytest

from skinkit.papers import Choice, Phase, Recipe, choose, recipe, recipes


def a_recipe(**changes):
    fields = {
        "name": "butskova2021/table1/row",
        "title": "A row",
        "model": choose("small_cnn"),
        "phases": (
            Phase(1, choose("adam", learning_rate=1e-3)),
            Phase(9, choose("sgd", learning_rate=0.1)),
        ),
        "protocols": {"as_published": {"split": choose("butskova2021_split"), "selection_part": "test"}},
        "profiles": {"quick": {"image_size": (64, 64), "epochs": (1, 2)}},
    }
    return Recipe(**{**fields, **changes})


def test_resolving_applies_the_protocol_and_the_profile():
    found = a_recipe().resolve("quick", "as_published")
    assert found.split == choose("butskova2021_split")
    assert found.selection_part == "test"
    assert found.image_size == (64, 64)
    assert [p.epochs for p in found.phases] == [1, 2]
    assert found.phases[1].optimiser == choose("sgd", learning_rate=0.1)


def test_the_corrected_protocol_at_full_size_is_the_recipe_itself():
    found = a_recipe().resolve()
    assert found == dataclasses.replace(a_recipe(), protocols={}, profiles={})


def test_a_profile_may_not_change_the_method():
    with pytest.raises(ValueError, match="sizes only.*selection"):
        a_recipe(profiles={"quick": {"selection": "last"}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "table1/row"}, "document/table/row"),
        ({"selection": "luckiest"}, "'last' or 'best'"),
        ({"score_best": True}, "`score_best`.*selection='best'"),
        ({"protocols": {"as_dreamt": {}}}, "as_dreamt"),
        ({"profiles": {"huge": {}}}, "huge"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        a_recipe(**changes)


def test_unknown_profiles_and_protocols_name_the_known_ones():
    with pytest.raises(ValueError, match="smoke, quick, full"):
        a_recipe().resolve("fast")
    with pytest.raises(ValueError, match="as_published, corrected.*as_described"):
        a_recipe().resolve("full", "as_described")


def test_epochs_must_match_the_phases():
    with pytest.raises(ValueError, match="2 phases"):
        a_recipe(profiles={"quick": {"epochs": (3,)}}).resolve("quick")


def test_a_phase_says_which_layers_train():
    with pytest.raises(ValueError, match="all, all_but_batch_normalization, head"):
        Phase(1, choose("adam"), trainable="tail")


def test_json_and_back_is_the_same_recipe():
    forest = choose("extra_trees", features="pooled", n_estimators=9)
    offline = choose("augment_offline", before_split=True)
    for found in [a_recipe(), a_recipe(offline=offline), a_recipe(classifier=forest)]:
        resolved = found.resolve("quick", "as_published")
        assert Recipe.from_json(resolved.to_json()) == resolved
        json.loads(resolved.to_json())


@pytest.mark.parametrize(
    "found", [choose("single_crop", evaluation="centre336"), choose("multi_crop", count=9)]
)
def test_crops_are_a_method_and_their_side_is_a_size(found):
    quick = a_recipe(input=found, crop_size=224, profiles={"quick": {"crop_size": 112}}).resolve("quick")
    assert (quick.input, quick.crop_size) == (found, 112)
    assert Recipe.from_json(quick.to_json()) == quick
    assert dataclasses.replace(quick, crop_size=113).hash != quick.hash
    assert dataclasses.replace(quick, input=choose("ordered_crops", count=9)).hash != quick.hash
    with pytest.raises(ValueError, match="sizes only.*input"):
        a_recipe(profiles={"quick": {"input": found}})


@pytest.mark.parametrize("changes", [{"crop_size": 224}, {"input": choose("multi_crop", count=9)}])
def test_a_crop_size_belongs_to_crops(changes):
    with pytest.raises(ValueError, match="`crop_size`.*Received: input="):
        a_recipe(**changes)


def test_settings_of_an_older_run_are_read():
    resolved = a_recipe().resolve("quick")
    fields = json.loads(resolved.to_json())
    del fields["input"], fields["crop_size"]
    assert Recipe.from_json(json.dumps(fields)) == resolved


def test_the_hash_follows_the_method_and_not_the_words():
    assert a_recipe(title="Another").hash == a_recipe().hash
    assert a_recipe(batch_size=33).hash != a_recipe().hash
    assert a_recipe(classifier=choose("extra_trees")).hash != a_recipe().hash


def test_a_choice_reads_as_a_call():
    assert str(choose("adam", learning_rate=0.1)) == "adam(learning_rate=0.1)"
    assert Choice("none").options == {}


def test_every_recipe_resolves_under_all_it_claims():
    for found in recipes():
        for protocol in found.known_protocols:
            for profile in ("smoke", "quick", "full"):
                assert found.resolve(profile, protocol).name == found.name


def test_names_are_unique_and_found():
    names = [r.name for r in recipes()]
    assert len(set(names)) == len(names)
    assert recipe(names[0]).name == names[0]


def test_a_title_names_each_field_that_differs_once():
    model, loss = {"model": choose("small_cnn")}, {"loss": choose("focal")}
    own = recipe("koefler2023/table4a/cnn").with_("own/a/b", **model)
    assert own.title.endswith(" (other model)")
    again = own.with_("own/a/c", **model, **loss).with_("own/a/d", **model)
    assert again.title == own.title.replace("(other model)", "(other model, loss)")
    assert own.with_("own/a/c").with_("own/a/d").title == own.title


def test_a_field_that_no_recipe_has_is_refused_in_a_protocol_and_in_saved_settings():
    with pytest.raises(ValueError, match=r"Unknown field in protocol 'as_published'.*mean batch_size"):
        a_recipe(protocols={"as_published": {"batchsize": 8}})
    saved = json.loads(a_recipe().to_json()) | {"spilt": None}
    with pytest.raises(ValueError, match=r"Unknown field of a recipe.*mean split"):
        Recipe.from_json(json.dumps(saved))


def test_a_table_and_the_end_of_a_name_lead_to_recipes():
    with pytest.raises(ValueError, match="table4b holds 1 recipe, first koefler2023/table4b/cnn-sa: .*list"):
        recipe("koefler2023/table4b")
    with pytest.raises(ValueError, match="'cnn-sa'.*Did you mean .*cnn-sa"):
        recipe("cnn-sa")
    assert recipes("koefler2023/") == recipes("koefler2023")


def test_an_unknown_name_suggests_a_near_one():
    with pytest.raises(ValueError, match="skinkit/demo/ham10000"):
        recipe("skinkit/demo/ham")
    with pytest.raises(ValueError, match="Documents with recipes"):
        recipes("nobody1999")


def test_a_phase_without_patience_has_the_hash_that_it_had_before_there_was_any():
    first, second = a_recipe().phases
    assert a_recipe().hash == "f0a83331c301"
    patient = a_recipe(phases=(first, dataclasses.replace(second, patience=5)))
    assert patient.hash != a_recipe().hash
    assert Recipe.from_json(patient.resolve().to_json()) == patient.resolve()
    fields = json.loads(a_recipe().resolve().to_json())
    for phase in fields["phases"]:
        del phase["patience"]
    assert Recipe.from_json(json.dumps(fields)) == a_recipe().resolve()
