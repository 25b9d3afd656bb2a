import Crypto
import Dispatch
@testable import EMSCore
import Synchronization

/// A token from outside is refused with an error of the catalogue, or says what was signed; base64url goes there and back. Input: a byte,
/// and either a token as it is, or claims that get a good signature, which only whoever has the key could send.
@Sendable func fuzzToken(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let isSigned = script.flag()
    let body = script.remainder()
    let token = isSigned ? signed(body) : String(decoding: body, as: UTF8.self)
    expect(Base64URL.decode(Base64URL.encode(body)) == body, "base64url does not come back")
    if let decoded = Base64URL.decode(token) { expect(Base64URL.decode(Base64URL.encode(decoded)) == decoded, "base64url changes") }
    let seen = accepted { try AccessTokens.inspect(token) }
    guard let claims = verified(token) else { return }
    expect(seen != nil, "a token is verified that cannot be shown")
    expect(seen?.claims["sub"]?.string.flatMap { UserID($0) } == claims.userID, "the verified user is not the one that is shown")
    if !isSigned { expect(claims.userID == UserID(knownUser), "a token was verified that nobody signed: \(claims)") }
}

/// 32 bytes, as the tokens of the corpus are signed.
private let secret = "0123456789abcdef0123456789abcdef"
/// The `sub` of the tokens of the corpus.
private let knownUser = "0195d1c8a0007000800000000000000a"
private let now = Timestamp(milliseconds: 1_790_000_000_000)

private func signed(_ claims: [UInt8]) -> String {
    let content = Base64URL.encode(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8)) + "." + Base64URL.encode(claims)
    let code = HMAC<SHA256>.authenticationCode(for: Array(content.utf8), using: SymmetricKey(data: Array(secret.utf8)))
    return content + "." + Base64URL.encode(Array(code))
}

private let tokens = waited { try await AccessTokens(algorithm: .hs256) { [try TokenKey(secret: secret)] } }

private func verified(_ token: String) -> AccessTokens.Claims? {
    guard let tokens else { fatalError("there is no key to verify with") }
    return waited { try await tokens.verify(token, at: now) }
}

/// Runs what cannot be called without waiting, and waits.
private func waited<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) -> Value? {
    let outcome = Mutex<Result<Value, any Error>?>(nil)
    let isDone = DispatchSemaphore(value: 0)
    Task.detached {
        do {
            let value = try await body()
            outcome.withLock { $0 = .success(value) }
        } catch {
            outcome.withLock { $0 = .failure(error) }
        }
        isDone.signal()
    }
    isDone.wait()
    guard let result = outcome.withLock({ $0 }) else { fatalError("nothing came out") }
    return accepted { try result.get() }
}
