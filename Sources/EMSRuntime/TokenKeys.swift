import EMSCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the keys that sign access tokens come from, and how new ones are made.
extension Settings {
    /// All keys of the algorithm, the one that signs first. The embedded store makes one where there is none; with MongoDB, whose daemons
    /// run on several machines, all must be given the same.
    public func tokenKeys() throws -> [TokenKey] {
        algorithm.isAsymmetric ? try keysOfDirectory() : try secrets().map { try TokenKey(secret: $0) }
    }

    /// What the keys of ``tokenKeys()`` are made of, in their order.
    func signingSecrets() throws -> [[UInt8]] {
        try (algorithm.isAsymmetric ? pemsOfDirectory().map(\.pem) : secrets()).map { Array($0.utf8) }
    }

    /// Where the signing key comes from: `SECRET_KEY` or a path.
    public var tokenKeySource: String {
        if algorithm.isAsymmetric { return keyDirectory ?? "key_dir" }
        return secretKey == nil ? secretKeyPath : "SECRET_KEY"
    }

    /// Makes a new key, which signs from now on; those before go on verifying.
    /// - Returns: the new key.
    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where the key is the configuration's own.
    public func rotateTokenKey() throws -> TokenKey {
        guard !algorithm.isAsymmetric else { return try makeKey(in: requiredKeyDirectory()) }
        guard secretKey == nil, store == .embedded else {
            throw EMSError(
                .configuration, "the signing key is set by SECRET_KEY, which only you can change",
                fix: "set SECRET_KEY_PREVIOUS to the present key and SECRET_KEY to a new one (openssl rand -hex 32), on all machines")
        }
        return try PrivateFile.locked(secretKeyPath) {
            let known = try secretsOfFiles()
            let secret = SecureRandom.hex(32)
            // First what goes on verifying, then what signs: whoever reads in between has all of them.
            try PrivateFile.replace(previousSecretsPath, known.joined(separator: "\n") + "\n")
            try PrivateFile.replace(secretKeyPath, secret + "\n")
            return try TokenKey(secret: secret)
        }
    }

    /// Removes a key: the tokens it signed are not valid any more.
    /// - Throws: ``EMSError`` with ``ErrorCode/notFound``; with ``ErrorCode/usage`` for the key that signs.
    public func removeTokenKey(_ id: String) throws {
        if !algorithm.isAsymmetric, secretKey == nil, store == .embedded {
            return try PrivateFile.locked(secretKeyPath) { try removeSecret(id) }
        }
        let keys = try tokenKeys()
        guard let index = keys.firstIndex(where: { $0.id == id }) else { throw EMSError.notFound("key", id) }
        guard index > 0 else {
            throw EMSError(.usage, "the key \(id) signs the tokens of now", fix: "make another first: ems token keys rotate")
        }
        if !algorithm.isAsymmetric, secretKeyPrevious != nil {
            throw EMSError(.configuration, "the key is set by SECRET_KEY_PREVIOUS", fix: "unset it")
        }
        try FileManager.default.removeItem(atPath: "\(requiredKeyDirectory())/\(id).pem")
    }

    private func removeSecret(_ id: String) throws {
        let secrets = try secretsOfFiles()
        guard let index = try secrets.firstIndex(where: { try TokenKey(secret: $0).id == id }) else {
            if let secretKeyPrevious, try TokenKey(secret: secretKeyPrevious).id == id {
                throw EMSError(.configuration, "the key is set by SECRET_KEY_PREVIOUS", fix: "unset it")
            }
            throw EMSError.notFound("key", id)
        }
        guard index > 0 else {
            throw EMSError(.usage, "the key \(id) signs the tokens of now", fix: "create another first: ems token keys rotate")
        }
        let kept = secrets.enumerated().filter { $0.offset > 0 && $0.offset != index }.map(\.element)
        if kept.isEmpty { return try FileManager.default.removeItem(atPath: previousSecretsPath) }
        try PrivateFile.replace(previousSecretsPath, kept.joined(separator: "\n") + "\n")
    }

    // MARK: HS256

    private func secrets() throws -> [String] {
        if let secretKey { return [secretKey] + [secretKeyPrevious].compactMap(\.self) }
        guard store == .embedded else {
            throw EMSError(
                .configuration, "with MongoDB, secret_key must be set: the same for all daemons", fix: "make one with: openssl rand -hex 32"
            )
        }
        let known = try secretsOfFiles()
        return known + [secretKeyPrevious].compactMap(\.self).filter { !known.contains($0) }
    }

    /// The keys before the present one: a line each, the latest first. They are kept until they are removed, since a token may live longer
    /// than the time between two rotations.
    private var previousSecretsPath: String { secretKeyPath + ".previous" }

    /// What the files of the data directory hold, the one that signs first; made if there is none.
    private func secretsOfFiles() throws -> [String] {
        var current = try secrets(in: secretKeyPath).first
        if current == nil {
            _ = try PrivateFile.create(secretKeyPath, SecureRandom.hex(32) + "\n")
            // This process' own, or that of another that was quicker.
            current = try secrets(in: secretKeyPath).first
        }
        guard let current else { throw EMSError(.configuration, "the key \(secretKeyPath) has vanished") }
        return [current] + (try secrets(in: previousSecretsPath)).filter { $0 != current }
    }

    private func secrets(in path: String) throws -> [String] {
        guard let text = try PrivateFile.read(path) else { return [] }
        return try text.split(whereSeparator: \.isNewline).map { line in
            let key = line.filter { !$0.isWhitespace }
            guard key.utf8.count >= TokenKey.minimumSecretBytes else {
                throw EMSError(
                    .configuration, "the key \(path) is too short", fix: "remove the file (all tokens end), or set SECRET_KEY")
            }
            return key
        }
    }

    // MARK: RS256, ES256, EdDSA

    private func requiredKeyDirectory() throws -> String {
        guard let keyDirectory else {
            throw EMSError(
                .configuration, "with MongoDB and \(algorithm.rawValue), key_dir must be set: with the same files for all daemons",
                fix: "set EMS_KEY_DIR, and make a key there with: ems token keys rotate")
        }
        return keyDirectory
    }

    private func keysOfDirectory() throws -> [TokenKey] {
        let keys = try pemsOfDirectory().compactMap { try key($0.id, $0.pem) }
        if !keys.isEmpty { return keys }
        // All that are there are of another algorithm, which the configuration has left behind.
        guard store == .embedded else { throw try missingKey(in: requiredKeyDirectory()) }
        return [try makeKey(in: requiredKeyDirectory())]
    }

    /// - Returns: `nil` for a key of another algorithm.
    private func key(_ id: String, _ pem: String) throws -> TokenKey? {
        do {
            return try TokenKey(id: id, pem: pem, algorithm: algorithm)
        } catch {
            let others = TokenAlgorithm.allCases.filter { $0.isAsymmetric && $0 != algorithm }
            guard others.contains(where: { (try? TokenKey(id: id, pem: pem, algorithm: $0)) != nil }) else { throw error }
            return nil
        }
    }

    private func missingKey(in directory: String) -> EMSError {
        EMSError(
            .configuration, "no \(algorithm.rawValue) key found in \(directory)",
            fix: "create one with: ems token keys rotate, and copy it to all machines")
    }

    /// The names are time-ordered, so that the last one is the newest: it comes first.
    private func pemsOfDirectory() throws -> [(id: String, pem: String)] {
        let directory = try requiredKeyDirectory()
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let ids = files.filter { $0.hasSuffix(".pem") }.map { String($0.dropLast(4)) }.sorted(by: >)
        let pems = try ids.compactMap { id in try PrivateFile.read("\(directory)/\(id).pem").map { (id: id, pem: $0) } }
        if !pems.isEmpty { return pems }
        guard store == .embedded else {
            throw missingKey(in: directory)
        }
        return [try makePEM(in: directory)]
    }

    private func makeKey(in directory: String) throws -> TokenKey {
        let made = try makePEM(in: directory)
        return try TokenKey(id: made.id, pem: made.pem, algorithm: algorithm)
    }

    private func makePEM(in directory: String) throws -> (id: String, pem: String) {
        let id = ID<TokenKey>().description
        let key = try TokenKey.makePEM(algorithm)
        let pem = key.hasSuffix("\n") ? key : key + "\n"
        _ = try PrivateFile.create("\(directory)/\(id).pem", pem)
        return (id, pem)
    }
}
