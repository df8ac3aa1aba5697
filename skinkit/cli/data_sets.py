"""The commands about image sets."""

from skinkit.cli.options import add_command, add_data_dir
from skinkit.files import writing


def add_commands(commands):
    """Adds these commands to the subparsers of `skinkit`."""
    _add_data(commands)


def _add_data(commands):
    data = commands.add_parser("data", help="list, describe, fetch and check the image sets")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    add_command(actions, "list", _data_list, "list the image sets")
    info = add_command(actions, "info", _data_info, "describe an image set: source, licence, files, counts")
    info.add_argument("name")
    fetch = add_command(actions, "fetch", _data_fetch, "download an image set, or go on where it broke off")
    fetch.add_argument("name")
    fetch.add_argument("--to", help="folder of the releases (default: $SKINKIT_DATA, else ./datasets)")
    fetch.add_argument("--base-url", help="a mirror that holds the same files")
    check = add_command(actions, "check", _data_check, "count and open every image; exit code 1 on errors")
    check.add_argument("name")
    add_data_dir(check)
    leakage = add_command(actions, "leakage", _data_leakage, "leakage of the documents' ways to split a set")
    leakage.add_argument("name", nargs="?", default="ham10000", help="default: %(default)s")
    leakage.add_argument("--out", help="a CSV to write the table to")
    add_data_dir(leakage)


def _data_list(options):
    from skinkit.data import list_releases

    print(list_releases().to_string(index=False))


def _data_info(options):
    from skinkit.data import describe

    print(describe(options.name))


def _data_fetch(options):
    from skinkit.data import fetch

    print(f"Ready: {fetch(options.name, to=options.to, base_url=options.base_url)}")


def _data_check(options):
    from skinkit.data import check_images

    report = check_images(options.name, root=options.data_dir)
    print(report.to_text())
    return 0 if report.ok else 1


def _data_leakage(options):
    from skinkit.data import gessert2019_index_file, load
    from skinkit.experiments.split_comparison import compare_splits

    table = load(options.name, root=options.data_dir, missing_images="keep")
    released = gessert2019_index_file(options.data_dir) if options.name == "ham10000" else None
    table = compare_splits(table, released)
    if options.out:
        with writing(options.out) as part:
            table.to_csv(part, index=False, float_format="%.4f", lineterminator="\n")
    print(
        "shares of the n evaluation images whose photograph, lesion, patient is in training; <NA>: not known"
    )
    for split, rows in table.groupby("split", sort=False):
        print(f"\n{split}\n{rows.drop(columns='split').round(3).to_string(index=False)}")
    for split, why in table.attrs["not_made"].items():
        print(f"\n{split}\nnot made: {why}")
