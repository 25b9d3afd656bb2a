import Testing

@testable import EMSCore

@Suite("What a user's data must be")
struct UserRulesTests {
    /// The types of the faults that a check finds.
    private func found(_ check: (inout FieldFaults) -> Void) throws -> [FieldError] {
        var gathered = FieldFaults()
        check(&gathered)
        return try faults { try gathered.finish() }
    }

    @Test(
        "A username of 3 to 50 letters, digits and underscores is accepted",
        arguments: ["abc", "ABC", "a_1", "___", "123", String(repeating: "x", count: 50)])
    func usernames(name: String) throws {
        #expect(try found { UserRules.check(username: name, &$0) } == [])
    }

    @Test(
        "Any other username is refused",
        arguments: [
            ("", "string_too_short"), ("ab", "string_too_short"), (String(repeating: "x", count: 51), "string_too_long"),
            ("a b", "string_pattern_mismatch"), (" abc", "string_pattern_mismatch"), ("a-b", "string_pattern_mismatch"),
            ("a.b", "string_pattern_mismatch"), ("a@b", "string_pattern_mismatch"), ("jürgen", "string_pattern_mismatch"),
            ("аdmin", "string_pattern_mismatch"), ("abc\n", "string_pattern_mismatch"), ("abc\u{0}", "string_pattern_mismatch"),
            ("１２３", "string_pattern_mismatch"), ("😀😀😀", "string_pattern_mismatch"),
        ])
    func badUsernames(name: String, type: String) throws {
        let found = try found { UserRules.check(username: name, &$0) }
        #expect(found.map(\.place) == ["body.username"])
        #expect(found.map(\.type) == [type])
    }

    @Test(
        "Everyday email addresses are accepted",
        arguments: [
            "a@b.de", "name@example.com", "first.last+tag@sub.example.co.uk", "o'brien@example.com", "user_1@example-site.org",
            "jürgen@müller.example", String(repeating: "x", count: 64) + "@example.com",
        ])
    func emails(email: String) throws {
        #expect(try found { UserRules.check(email: email, &$0) } == [])
    }

    @Test(
        "What is no email address is refused",
        arguments: [
            "", "a", "@", "a@", "@b.de", "a@b", "a@@b.de", "a@b@c.de", "a b@c.de", "a@b c.de", ".a@b.de", "a.@b.de", "a..b@c.de", "a@.b.de",
            "a@b.de.", "a@b..de", "a@b_c.de", "<a@b.de>", "Name <a@b.de>", "a@b.de, c@d.de", "a@b.de\n", "a\u{0}@b.de",
            "a@b.de\r\nBcc: c@d.de",
            "a\u{202E}@b.de", "a@\u{301}b.de", "a@b@\u{301}c.de", "a@b.\u{301}.", "\"a\"@b.de", "a@[127.0.0.1]",
            String(repeating: "x", count: 65) + "@example.com",
            "a@" + String(repeating: "x.", count: 126) + "example",
        ])
    func badEmails(email: String) throws {
        let found = try found { UserRules.check(email: email, &$0) }
        #expect(found.map(\.place) == ["body.email"])
    }

    @Test("A full name is optional, has at most 100 characters, and one line")
    func fullNames() throws {
        #expect(try found { UserRules.check(fullName: nil, &$0) } == [])
        #expect(try found { UserRules.check(fullName: "Jürgen 李 🙂", &$0) } == [])
        #expect(try found { UserRules.check(fullName: String(repeating: "x", count: 100), &$0) } == [])
        #expect(try found { UserRules.check(fullName: String(repeating: "x", count: 101), &$0) }.map(\.type) == ["string_too_long"])
        #expect(try found { UserRules.check(fullName: "a\nb", &$0) }.map(\.place) == ["body.full_name"])
    }

    @Test(
        "A password of 8 characters to 72 bytes with an upper-case letter, a digit and a special character is accepted",
        arguments: [
            "Passw0r!", "PASSWORD1!", "Ünïcödé1#", "A1! with spaces", "Aa1_aaaa", "Пароль1!", "A1🙂aaaaa",
            "A1!" + String(repeating: "x", count: 69), "A1!x" + String(repeating: "ü", count: 34),
        ])
    func passwords(password: String) throws {
        #expect(try found { UserRules.check(password: password, &$0) } == [])
    }

    @Test(
        "A password that misses one thing is refused for that thing",
        arguments: [
            ("Passw0!", "8 characters"),
            ("A1!üüüü", "8 characters"),
            ("A1!" + String(repeating: "x", count: 70), "72 bytes"),
            ("A1!" + String(repeating: "ü", count: 35), "72 bytes"),
            ("A1!" + String(repeating: "🙂", count: 18), "72 bytes"),
            ("passw0rd!", "upper-case"),
            ("Password!", "digit"),
            ("Passw0rd", "special"),
            ("Passw0rd with spaces", "special"),
            ("Passw0rd!\u{0}", "NUL"),
        ])
    func badPasswords(password: String, words: String) throws {
        let found = try found { UserRules.check(password: password, &$0) }
        try #require(found.count == 1)
        #expect(found[0].place == "body.password")
        #expect(found[0].message.contains(words))
    }

    @Test("Everything that is wrong with a password is told at once, under the caller's name for it, and without the password")
    func gathering() throws {
        let found = try found { UserRules.check(password: "secret", as: "new_password", &$0) }
        #expect(found.count == 4)
        #expect(Set(found.map(\.place)) == ["body.new_password"])
        #expect(!found.contains { $0.message.contains("secret") })
    }

    @Test("A registration needs username, email and password")
    func registration() throws {
        let found = try faults { _ = try UserDraft(JSONParser.parse("{}")) }
        #expect(Set(found.map(\.place)) == ["body.username", "body.email", "body.password"])
        #expect(found.allSatisfy { $0.type == "missing" })
    }
}
