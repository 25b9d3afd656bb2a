import Crypto
import EMSCore
import Foundation
import Synchronization
import Testing

@Suite("Signatures of messages")
struct MessageSignerTests {
    private static let body = Array("{\"type\": \"event\"}".utf8)
    private static let id = "0195c1d2e3f4a5b6c7d8e9f0a1b2c3d4"

    private static func signer(_ secrets: String...) -> MessageSigner { MessageSigner { secrets.map { Array($0.utf8) } } }

    @Test("A signature is the HMAC that the documentation describes")
    func definition() throws {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: Data("secret".utf8)), info: Data("ems broker messages".utf8), outputByteCount: 32)
        let code = HMAC<SHA256>.authenticationCode(for: Data("change\0\(Self.id)\0".utf8) + Self.body, using: key)
        let expected = "v1," + code.map { String(format: "%02x", $0) }.joined()
        #expect(try Self.signer("secret").sign(Self.body, id: Self.id, for: .change) == expected)
    }

    @Test("What was signed is valid; with another body, id, purpose or key it is not")
    func changed() throws {
        let signer = Self.signer("secret")
        let signature = try signer.sign(Self.body, id: Self.id, for: .change)
        #expect(try signer.check(signature, of: Self.body, id: Self.id, for: .change) == .valid)
        #expect(try signer.check(signature, of: Self.body + [32], id: Self.id, for: .change) == .invalid)
        #expect(try signer.check(signature, of: Self.body, id: "", for: .change) == .invalid)
        #expect(try signer.check(signature, of: Self.body, id: Self.id, for: .live) == .invalid)
        #expect(try Self.signer("another").check(signature, of: Self.body, id: Self.id, for: .change) == .invalid)
        #expect(try signer.check(nil, of: Self.body, id: Self.id, for: .change) == .absent)
    }

    @Test(
        "What is no signature is invalid",
        arguments: [
            "", "v1,", "v2," + String(repeating: "a", count: 64), "v1," + String(repeating: "g", count: 64),
            "v1," + String(repeating: "é", count: 32),
        ])
    func malformed(signature: String) throws {
        #expect(try Self.signer("secret").check(signature, of: Self.body, id: Self.id, for: .change) == .invalid)
    }

    @Test("After a rotation the earlier key goes on verifying, and the new one signs")
    func rotation() throws {
        let (old, new) = (Self.signer("old"), Self.signer("new", "old"))
        let signature = try old.sign(Self.body, id: Self.id, for: .change)
        #expect(try new.check(signature, of: Self.body, id: Self.id, for: .change) == .valid)
        let later = try new.sign(Self.body, id: Self.id, for: .change)
        #expect(try Self.signer("new").check(later, of: Self.body, id: Self.id, for: .change) == .valid)
    }

    @Test("A key that another process has just made is found; one that is taken away is forgotten")
    func reload() async throws {
        let secrets = Mutex(["old"])
        let signer = MessageSigner { secrets.withLock { $0 }.map { Array($0.utf8) } }
        let signature = try Self.signer("new").sign(Self.body, id: Self.id, for: .change)
        #expect(try signer.check(signature, of: Self.body, id: Self.id, for: .change) == .invalid)
        secrets.withLock { $0 = ["new"] }
        // A key that is not known is looked for once a second.
        var found = MessageSignature.invalid
        for _ in 0..<1200 where found != .valid {
            try await Task.sleep(for: .milliseconds(50))
            found = try signer.check(signature, of: Self.body, id: Self.id, for: .change)
        }
        #expect(found == .valid)
        let earlier = try Self.signer("old").sign(Self.body, id: Self.id, for: .change)
        #expect(try signer.check(earlier, of: Self.body, id: Self.id, for: .change) == .invalid)
    }

    @Test("Without a key nothing is signed, and the error says what to set")
    func keyless() {
        #expect(throws: EMSError.self) { try Self.signer().sign(Self.body, id: Self.id, for: .change) }
    }
}
