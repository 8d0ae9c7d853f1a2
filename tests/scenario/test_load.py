"""Files become cases, or every problem of theirs at once, each at its place with what to write instead."""

from __future__ import annotations

import pickle

import pytest

from tests.play import HEAD, cases, play, problems, said, scenario


def test_a_scenario_without_a_matrix_is_one_case():
    (case,) = cases(HEAD)

    assert case.id == "test.sspi.yaml::a scenario"


def test_a_matrix_gives_a_case_for_each_choice_in_the_files_order():
    made = cases(
        scenario("matrix: { tls: ['1.2', '1.3'], order: [fifo, lifo] }\nsession: { tls: $tls }\ntags: [$order]\n")
    )

    assert [case.label for case in made] == ["1.2-fifo", "1.2-lifo", "1.3-fifo", "1.3-lifo"]
    assert [case.scenario.session.tls for case in made] == ["1.2", "1.2", "1.3", "1.3"]


def test_a_variable_stands_for_a_whole_scalar_and_two_dollars_for_one():
    (case,) = cases(scenario("variables: { name: h2 }\ndescription: $$name\nsession: { client: { alpn: [$name] } }\n"))

    assert case.scenario.session.client == {"alpn": ["h2"]}
    assert case.scenario.description == "$name"


def test_a_dollar_within_a_text_means_itself():
    (case,) = cases(scenario("description: costs 5$ and $more\n"))

    assert case.scenario.description == "costs 5$ and $more"


def test_a_number_where_a_text_is_meant_is_the_text_that_was_written():
    (case,) = cases(scenario("session: { tls: 1.3 }\n"))

    assert case.scenario.session.tls == "1.3"


def test_a_file_may_hold_several_scenarios():
    made = cases(f"{HEAD}---\nschema: sspi-async/scenario/1\nname: another\n")

    assert [case.name for case in made] == ["a scenario", "another"]


def test_two_scenarios_of_one_name_are_refused_where_the_second_stands():
    (problem,) = problems(f"{HEAD}---\n{HEAD}")

    assert problem.place.line == 5
    assert "already" in problem.message


def test_every_problem_of_a_file_is_said_at_once_and_in_its_place():
    found = said(
        scenario(
            """\
            tag: [x]
            session: { tls: "1.4", server: { cert: expird } }
            schedule: { order: lifoo, seed: "7" }
            faults: [ { leg: 1, dropp: true } ]
            steps:
              - leg: one
                expect: { client: SEC_E_OKAY }
              - legg: 2
            """
        )
    )

    assert [(line, column) for line, column, _ in found] == [
        (3, 1), (4, 17), (4, 40), (5, 20), (5, 33), (6, 21), (8, 10), (9, 23), (10, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("tag: [x]", 'did you mean "tags"?'),
        ("session: { clent: {} }", 'did you mean "client"?'),
        ("session: { server: { cert: expird } }", 'did you mean "expired"?'),
        ("session: { server: { crt: valid } }", 'did you mean "cert"?'),
        ("schedule: { order: lifoo }", 'did you mean "lifo"?'),
        ("expect: { client: SEC_E_CERT_EXPIERD }", 'did you mean "SEC_E_CERT_EXPIRED"?'),
        ("expect: { alert: certificate_expird }", 'did you mean "certificate_expired"?'),
        ("steps: [ { legg: 1 } ]", 'did you mean "leg"?'),
        ("programs: { server: [ { acept: {} } ] }", 'did you mean "accept"?'),
        ("programs: { server: [ { create: ac, expct: null } ] }", 'did you mean "expect"?'),
        ("programs: { server: [ { hold: client.inti } ] }", "init"),
        ("programs: { server: [ { query: { attribute: SECPKG_ATTR_SIZE } } ] }", 'did you mean "SIZES"?'),
        ("programs: { server: [ { accept: { add-flags: [MUTUAL_AUT] } } ] }", 'did you mean "MUTUAL_AUTH"?'),
        ("steps: [{ leg: 1, expect: { token: { lacks: [ClientHelo] } } }]", 'did you mean "ClientHello"?'),
        ("programs: { server: [{ create: one }, { get-status: on }] }", 'did you mean "one"?'),
        ("programs: { server: [{ create: ac }, { keep: { name: x, bytes: recieved } }] }", 'did you mean "received"?'),
        ("programs: { server: [{ create: ac }, { check: { phase: { ac: idel } } }] }", 'did you mean "idle"?'),
        ("description: $nope\nvariables: { none: 1 }", 'did you mean "none"?'),
    ],
)
def test_what_was_probably_meant_is_suggested(line, help):
    found = problems(scenario(f"{line}\n"))

    assert any(help in one.help for one in found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("name: again", "name"),
        ("faults: [ { leg: 1, drop: true, truncate: 5 } ]", "one thing"),
        ("faults: [ { drop: true } ]", "a call or a leg"),
        ("faults: [ { call: client.init, drop: true } ]", "drop"),
        ("faults: [ { call: client.init, is-null: true } ]", "null"),
        ("programs: { server: [ { create: ac, reinit: ac } ] }", "several verbs"),
        ("programs: { server: [ create ] }", "mapping"),
        ("programs: { server: [ { init: {} } ] }", "SspiAcceptSecurityContextAsync"),
        ("programs: { client: [ { accept: {} } ] }", "SspiInitializeSecurityContextAsync"),
        ("programs: { host: [] }", "written as"),
        ("programs: { server: [ { send: { hex: zz } } ] }", "hex"),
        ("programs: { server: [ { send: { hex: 00, leg: 1 } } ] }", "one of"),
        ("schedule: { workers: 2, order: lifo }", "worker threads"),
        ("schedule: { choices: v2 }", "schedule"),
        ("clock: yesterday", "no time"),
        ("timeout: 0", "too small"),
        ("session: { package: NTLN }", "security package"),
        ("session: { client: { cert: { a: 1 } } }", ""),
        ("expect: { findings: [X001] }", "written as"),
        ("expect: { findings: [A999] }", "no misuse rule"),
        ("verify: { ignore: { A998: why } }", "no misuse rule"),
        ("programs: { server: [{ create: ac }, { await: it }] }", "makes the signal"),
        ("programs: { server: [{ create: ac }, { unlock: it }] }", "makes the lock"),
        ("programs: { server: [{ create: ac }, { delete: {} }] }", "makes the security context"),
        ("programs: { server: [{ create: ac }, { free-credential: {} }] }", "makes the credential"),
        ("programs: { server: [{ create: ac }, { end-data: { name: d } }] }", "makes the callback data"),
        ("programs: { server: [{ create: ac }, { receive: x }] }", "begun no connection"),
        ("faults: [{ leg: 1, truncate: 0 }]", "from 1"),
        ("expect: { granted: { client: [DELEGAT] } }", "no flag that the client is granted"),
        ("steps: [{ call: server.accept, expect: { granted: [ASC_RET_STREM] } }]", "no flag that the server"),
        ("steps: [{ call: client.init, expect: { denied: [FOO] } }]", "no flag that the client"),
        ("programs: { client: [{ init: {}, expect: { granted: [FOO] } }] }", "no flag that the client"),
        ("expect: { cipher-suite: TLS_AES_128_GCM_SHA257 }", "no cipher suite"),
        ("expect: { group: x25518 }", "no group"),
        ("faults: [{ call: client.init, fail: SEC_E_OK }]", "no error"),
        ("schema: sspi-async/scenario/2", ""),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_sentence(line, words):
    found = problems(scenario(f"{line}\n"))

    assert any(words in one.message for one in found)


def test_a_document_that_is_no_mapping_is_refused():
    assert said("- a\n- b\n")[0][2] == "a scenario is a mapping"


def test_an_empty_file_holds_no_scenario():
    assert "no scenario" in said("# nothing\n")[0][2]


def test_a_matrix_of_too_many_cases_is_refused_before_they_are_made():
    values = ", ".join(map(str, range(40)))

    found = said(scenario(f"matrix: {{ a: [{values}], b: [{values}], c: [{values}] }}\n"))

    assert "64,000 cases" in found[0][2]


AMISS = [
    ("matrix: { a: [] }\ndescription: $a\n", 3, 14, "no value"),
    ("matrix: { a: [x, y, x] }\ndescription: $a\n", 3, 21, "'x' twice"),
    ("matrix: { a: [1, '1'] }\ndescription: $a\n", 3, 18, "'1' twice"),
    ("matrix: { a: [x] }\nvariables: { a: y }\ndescription: $a\n", 4, 14, "in matrix"),
    ("variables: { a: x }\n", 3, 14, "nothing uses $a"),
    ("matrix: { a: [x, y] }\n", 3, 11, "nothing uses $a"),
    ("variables: { a: $b, b: x }\ndescription: $a\ntags: [$b]\n", 3, 17, "do not nest"),
    ("matrix: { a: [x, $b], b: [y] }\ndescription: $a\ntags: [$b]\n", 3, 18, "do not nest"),
    ('skip: ""\n', 3, 7, "without a reason"),
    ('xfail: " "\n', 3, 8, "without a reason"),
    ("skip: later\nxfail: a bug\n", 4, 8, "is skipped"),
]


@pytest.mark.parametrize(("body", "line", "column", "words"), AMISS)
def test_what_is_amiss_with_variables_and_reasons_is_said_once_in_its_place(body, line, column, words):
    (found,) = problems(scenario(body))

    assert (found.place.line, found.place.column) == (line, column)
    assert words in found.message


def test_a_variables_value_may_begin_with_a_dollar():
    first, second = cases(scenario("matrix: { a: [$$b, c] }\nvariables: { d: $$e }\ndescription: $a\nskip: $d\n"))

    assert (first.scenario.description, second.scenario.description) == ("$b", "c")
    assert (first.label, first.scenario.skip) == ("$b", "$e")


def test_a_case_goes_to_another_process_whole():
    (case,) = cases(scenario("expect: { legs: 4 }\n"))

    again = pickle.loads(pickle.dumps(case))

    assert again.id == case.id
    assert again.scenario == case.scenario


def test_an_error_leads_to_the_value_that_came_from_a_variable():
    result = play(scenario("variables: { wanted: SEC_E_CERT_EXPIRED }\nexpect: { client: $wanted, verdict: ok }\n"))

    (unmet,) = result.unmet
    assert (unmet.place.line, unmet.place.column) == (4, 19)
    assert unmet.rewrite is None


@pytest.mark.parametrize(
    ("body", "column", "message"),
    [
        ("programs: { cleint: [] }", 13, "'cleint' is not written as it should be"),
        ("schedule: { calls: { client.int: inline } }", 22, "'int' is no function"),
        ("verify: { ignore: { Z9: because } }", 21, "'Z9' is not written as it should be"),
        ("expect: { findings: [XX] }", 22, "'XX' is not written as it should be"),
    ],
)
def test_the_caret_stands_under_a_wrong_key_and_no_pattern_is_shown(body, column, message):
    (problem,) = problems(scenario(body + "\n"))
    assert problem.place.column == column
    assert problem.message.startswith(message)
    assert "^" not in problem.message + problem.help


@pytest.mark.parametrize(
    ("body", "help"),
    [
        ("expect: { client: sec_e_ok }", 'did you mean "SEC_E_OK"?'),
        ("faults: [{ leg: 1, split: [] }]", ""),
        (
            "programs: { client: [{ init: { input: [{ type: secbuffer_token, bytes: { hex: 00 } }] } }] }",
            'did you mean "TOKEN"?',
        ),
    ],
)
def test_words_are_taken_as_the_schema_has_them_and_no_other_way(body, help):
    (problem,) = problems(scenario(body + "\n"))
    assert help in problem.help
