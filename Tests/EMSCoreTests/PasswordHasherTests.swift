import Testing

@testable import EMSCore

@Suite("Password hashes")
struct PasswordHasherTests {
    private let hasher = PasswordHasher(cost: 4)

    @Test("A password matches its own hash, and no other does", arguments: ["Passw0rd!", "Пароль1!", "🙂", "x"])
    func matching(password: String) async throws {
        let hash = try await hasher.hash(password)
        #expect(hash.hasPrefix("$2b$04$"))
        #expect(hash.count == 60)
        #expect(try await hasher.verify(password, against: hash))
        #expect(try await !hasher.verify(password + "x", against: hash))
        #expect(try await !hasher.verify("", against: hash))
    }

    @Test("A password differs from itself in another letter case")
    func letterCase() async throws {
        let hash = try await hasher.hash("Passw0rd!")
        #expect(try await !hasher.verify("passw0rd!", against: hash))
    }

    @Test("The same password never has the same hash twice")
    func salt() async throws {
        let first = try await hasher.hash("Passw0rd!")
        let second = try await hasher.hash("Passw0rd!")
        #expect(first != second)
    }

    @Test("The cost is in the hash")
    func cost() async throws {
        #expect(try await PasswordHasher(cost: 5).hash("Passw0rd!").hasPrefix("$2b$05$"))
    }

    @Test("A hash of another cost is still checked")
    func otherCost() async throws {
        let hash = try await PasswordHasher(cost: 5).hash("Passw0rd!")
        #expect(try await hasher.verify("Passw0rd!", against: hash))
    }

    @Test("72 bytes all count; 73 never match, though bcrypt would compare only their beginning")
    func length() async throws {
        let password = "A1!" + String(repeating: "x", count: 69)
        let hash = try await hasher.hash(password)
        #expect(try await hasher.verify(password, against: hash))
        #expect(try await !hasher.verify(password.dropLast() + "y", against: hash))
        #expect(try await !hasher.verify(password + "x", against: hash))
        #expect(try await !hasher.verify(password + String(repeating: "x", count: 100_000), against: hash))
    }

    @Test("A password with NUL never matches, though C would compare only what stands before it")
    func nul() async throws {
        let hash = try await hasher.hash("Passw0rd!")
        #expect(try await !hasher.verify("Passw0rd!\u{0}x", against: hash))
        let empty = try await hasher.hash("")
        #expect(try await !hasher.verify("\u{0}", against: empty))
        #expect(try await !hasher.verify(String(repeating: "x", count: 73), against: empty))
    }

    @Test("An unknown user's password is wrong, whatever it is", arguments: ["Passw0rd!", "", "\u{0}"])
    func unknownUser(password: String) async throws {
        #expect(try await !hasher.verify(password, against: nil))
    }

    @Test(
        "What is no bcrypt hash matches nothing",
        arguments: ["", "Passw0rd!", "$", "$2", "$2b$", "$2b$04$", "$2b$04$tooshort", "$6$salt$hash", "*0", "plain:Passw0rd!"])
    func noHash(hash: String) async throws {
        #expect(try await !hasher.verify("Passw0rd!", against: hash))
        #expect(try await !hasher.verify(hash, against: hash))
    }

    @Test("Known hashes of other implementations are checked")
    func interoperability() async throws {
        // A test vector of jBCrypt.
        let hash = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"
        #expect(try await hasher.verify("a", against: hash))
        #expect(try await !hasher.verify("b", against: hash))
    }
}
