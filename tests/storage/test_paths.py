"""What a path or a name may look like."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux2build.storage import paths

SAFE = st.from_regex(r"[a-z0-9_]{1,8}(/[a-z0-9_]{1,8}){0,2}\.png", fullmatch=True).filter(
    lambda path: paths.fault(path) is None
)


@given(st.text())
def test_fold_is_idempotent(path: str) -> None:
    """A folded path folds to itself."""
    assert paths.fold(paths.fold(path)) == paths.fold(path)


@given(st.text())
def test_fold_ignores_case_and_form(path: str) -> None:
    """Neither case folding nor a Unicode form makes another file."""
    folded = paths.fold(path)

    assert paths.fold(unicodedata.normalize("NFD", path)) == folded
    assert paths.fold(unicodedata.normalize("NFKC", path)) == folded


@given(
    st.lists(
        st.sampled_from(["a", "Z", "0", "_", "-", ".", "/", "con", "LPT1", "~", ".git", " ", "é"]),
        max_size=5,
    ).map("".join)
)
def test_a_plain_path_is_one_whose_parts_are_all_valid(path: str) -> None:
    """The short check of plain paths allows nothing that the check of each part refuses."""
    assert paths.part_fault(path) == paths.part_fault(f"é/{path}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hero.PNG", "hero.png"),
        ("caf\u00e9.png", "cafe\u0301.png"),
        ("stra\u00dfe.png", "STRASSE.png"),
        ("\ufb01sh.png", "fish.png"),
        ("a.png.", "a.png"),
        ("dir. /a.png", "dir/a.png"),
    ],
)
def test_fold_knows_file_systems(one: str, other: str) -> None:
    """Names that some file system takes for one fold to one."""
    assert paths.fold(one) == paths.fold(other)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x.png",
        "a/../../x.png",
        "a//b.png",
        "./a.png",
        "a\\b.png",
        "C:/a.png",
        "a:b.png",
        "what?.png",
        "CON",
        "con.png",
        "img/aux.tar.gz",
        "COM1.png",
        "lpt9",
        "a\x07b.png",
        "a\u202eb.png",
        "a\u200bb.png",
        "\ud800.png",
        "x" * 201,
        "\u6f22" * 100,
        "/".join(["abcdefghi"] * 25),
        "a./b.png",
        "a /b.png",
        " a.png",
        "a.png.",
        ".git/config",
        "img/.GIT/x.png",
        ".flux2build/x.png",
        "~/x.png",
        "~root/x.png",
    ],
)
def test_unfit_paths(path: str) -> None:
    """A path that could leave its folder, or not exist somewhere, is refused with a reason."""
    assert paths.fault(path)


@pytest.mark.parametrize(
    "path",
    [
        "hero.png",
        "img/hero-dark-640.avif",
        "caf\u00e9/\u5bcc\u58eb.png",
        "console.png",
        ".well-known/a.png",
    ],
)
def test_fit_paths(path: str) -> None:
    """Ordinary paths, of any script, are fit."""
    assert paths.fault(path) is None


@given(SAFE)
def test_fit_paths_stay_inside(path: str) -> None:
    """A fit path, joined to a folder, lies in that folder."""
    assert paths.join("public/images", path).startswith("public/images/")


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".a",
        "-a",
        "+a",
        "a b",
        "a/b",
        "../../etc/x",
        "{{x}}",
        "a,b",
        "a=b",
        "a[b]",
        "x" * 101,
        "cafe\u0301",
        "a\n",
        "a*",
    ],
)
def test_unfit_names(value: str) -> None:
    """A name that is a path, a glob, markup or not composed is refused with a reason."""
    assert paths.name_fault(value)


@pytest.mark.parametrize(
    "value",
    [
        "hero",
        "A-100",
        "v1.2",
        "pt_BR",
        "logo@2x",
        "16:9",
        "caf\u00e9",
        "\u5bcc\u58eb\u5c71",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
    ],
)
def test_fit_names(value: str) -> None:
    """Letters and digits of any script, and a few signs, make a name."""
    assert paths.name_fault(value) is None


@pytest.mark.parametrize(
    ("folder", "path", "joined"),
    [
        (".", "a.png", "a.png"),
        ("templates", "sub/a.j2", "templates/sub/a.j2"),
        ("refs", "../a.png", "a.png"),
        ("refs", "../../a.png", "../a.png"),
        ("../shared", "./a.j2", "../shared/a.j2"),
    ],
)
def test_join(folder: str, path: str, joined: str) -> None:
    """A joined path is normalised."""
    assert paths.join(folder, path) == joined


@given(st.text(min_size=1))
def test_slug_is_one_part(value: str) -> None:
    """A slug has nothing in it that a path or a shell would read, and is stable."""
    slug = paths.slug(value)

    assert not set(slug) & set("/\\:*?\"<>| \n\t{}[]$`'")
    assert paths.slug(slug) == slug


def test_slug() -> None:
    """A slug stays readable."""
    assert paths.slug("Gr\u00f6\u00dfe 16:9 @2x") == "Gr\u00f6\u00dfe-16-9--2x"


@given(st.text())
def test_any_value_has_a_name(value: str) -> None:
    """What stands in a name for a value is fit for one, or empty; a fit value stands for itself."""
    name = paths.safe_name(value)

    if paths.name_fault(value) is None:
        assert name == value
    elif name:
        assert paths.name_fault(name[: paths.LONGEST_NAME]) is None
    assert paths.safe_name(name) == name
