@testable import EMSCore

/// What parses and is written parses again to the same value, compact and pretty; nothing written is refused.
@Sendable func fuzzJSON(_ bytes: [UInt8]) {
    guard let value = try? JSONParser.parse(bytes) else { return }
    let written = value.json()
    for isPretty in [false, true] {
        guard let again = try? JSONParser.parse(value.json(pretty: isPretty)) else {
            fatalError("what was written is refused: \(String(decoding: written, as: UTF8.self))")
        }
        // The writer drops the fraction of a whole number.
        expect(again == wholeNumbersAsIntegers(value), "\(value) became \(again)")
        expect(again.json() == written, "what is written differs after a round")
    }
    let patched = value.merged(with: value)
    expect(patched.merged(with: value) == patched, "the second merge of a patch changes something")
}

/// A draft is read or refused; one that is accepted is accepted again as it is, and its own JSON changes nothing as a merge patch. Input:
/// a line that is the draft, and what may be a patch of it.
@Sendable func fuzzDraft(_ bytes: [UInt8]) {
    var script = Script(bytes)
    guard let json = try? JSONParser.parse(script.line()) else { return }
    let patch = try? JSONParser.parse(script.remainder())
    if let draft = accepted({ try EventDraft(json) }) {
        if let stored = accepted({ try EventRules.accepted(draft, startsAfter: nil) }) {
            let again = accepted { try EventRules.accepted(stored, startsAfter: nil) }
            expect(again == stored, "the accepted draft \(stored) is accepted as \(String(describing: again))")
            expect(accepted { try stored.merged(with: .object([])) } == stored, "an empty patch changes something")
        }
        if let patch, let merged = accepted({ try draft.merged(with: patch) }) {
            _ = accepted { try EventRules.accepted(merged, startsAfter: Timestamp(milliseconds: 0)) }
        }
    }
    if let user = accepted({ try UserDraft(json) }) {
        var faults = FieldFaults()
        UserRules.check(username: user.username, &faults)
        UserRules.check(email: user.email, &faults)
        UserRules.check(fullName: user.fullName, &faults)
        UserRules.check(password: user.password, &faults)
        _ = accepted { try faults.finish() }
    }
    _ = accepted { try UserPatch(json) }
}

/// A whole number has two JSON forms, of which the writer knows one.
private func wholeNumbersAsIntegers(_ value: JSONValue) -> JSONValue {
    switch value {
    case .number(let number) where number == number.rounded() && abs(number) < 1e15: .integer(Int64(number))
    case .array(let elements): .array(elements.map(wholeNumbersAsIntegers))
    case .object(let members): .object(members.map { .init(name: $0.name, value: wholeNumbersAsIntegers($0.value)) })
    default: value
    }
}
