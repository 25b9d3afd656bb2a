import Crypto

/// The SHA-256 of an entry's canonical form and of the hash before it.
public struct JournalHash: Sendable, Equatable, CustomStringConvertible {
    public static let length = 32
    /// What stands before the first entry.
    public static let start = JournalHash(trusted: [UInt8](repeating: 0, count: length))

    public let bytes: [UInt8]

    private init(trusted bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// - Throws: ``EMSError`` with ``ErrorCode/storeCorrupt`` if there are not 32 bytes.
    public init(_ bytes: [UInt8]) throws {
        guard bytes.count == Self.length else {
            throw EMSError(.storeCorrupt, "a hash of the journal has \(bytes.count) bytes, not \(Self.length)", fix: "restore a backup")
        }
        self.bytes = bytes
    }

    /// Reads ``description``; `nil` where the text is something else.
    init?(_ text: String) {
        guard let bytes = EMSCore.bytes(ofSHA256: text.utf8) else { return nil }
        self.bytes = bytes
    }

    /// The hash of the entry that follows.
    /// - Parameter canonical: the entry's canonical form.
    public func followed(by canonical: JSONText) -> JournalHash {
        var digest = SHA256()
        digest.update(data: bytes)
        digest.update(data: canonical.bytes)
        return JournalHash(trusted: Array(digest.finalize()))
    }

    /// In hexadecimal.
    public var description: String { hexadecimal(bytes) }
}

/// A name or an address of a person, which entries refer to, so that it can be erased without breaking the chain of hashes.
public struct PersonalText: Sendable, Hashable {
    /// The user's id; empty if the person is not known.
    public let person: String
    public let value: String

    public init(person: String, value: String) {
        self.person = person
        self.value = value
    }

    /// What stands for it in an entry: `ref:` and the first 16 bytes, in hexadecimal, of the SHA-256 of salt and value. Without the salt,
    /// which is erased with the value, nobody can find out the value by trying.
    public func reference(salt: [UInt8]) -> String {
        Self.prefix + hexadecimal(SHA256.hash(data: salt + Array(value.utf8)).prefix(16))
    }

    /// What every reference begins with, and no username or address.
    static let prefix = "ref:"
    /// What is shown instead of a name that was erased.
    public static let erased = "(erased)"
    public static let saltLength = 16
    /// What stands before a person's id where it is noted that the person was erased.
    public static let erasedMark = "erased:"

    public static func makeSalt() -> [UInt8] { SecureRandom.bytes(saltLength) }
}

/// A change as the journal stores it: in its canonical form, with references in place of personal texts.
///
/// The canonical form is JSON without white space: `position`, `change_id`, then the members of the change's record in the order of
/// ``Change/encode(to:)``.
public struct SealedChange: Sendable, Equatable {
    public let canonical: JSONText

    /// - Parameter references: of all the ``Change/personalTexts``.
    public init(_ change: Change, at position: Int64, references: [PersonalText: String]) {
        let masked = change.replacingTexts { references[$0] ?? PersonalText.erased }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("position", position)
            writer.member("change_id", change.id.description)
            masked.encodeMembers(to: &writer)
        }
        canonical = JSONText(trusted: writer.bytes)
    }

    /// As it was read from a store.
    public init(canonical: [UInt8]) {
        self.canonical = JSONText(trusted: canonical)
    }

    /// The references in it.
    public var references: [String] {
        guard let json = try? canonical.value() else { return [] }
        let states = json["subject"]?["type"]?.string == Subject.Kind.user.rawValue ? [json["before"], json["after"]] : []
        let texts = states.flatMap { state in User.personalFields.map { state?[$0] } }
        return ([json["actor"]?["name"], json["source"]?["address"]] + texts).compactMap { $0?.string }
            .filter { $0.hasPrefix(PersonalText.prefix) }
    }

    /// At least the references in it; found without reading it as JSON.
    public var possibleReferences: [String] {
        let mark = Array("\"\(PersonalText.prefix)".utf8)
        let length = PersonalText.prefix.utf8.count + 32
        return canonical.bytes.withUnsafeBufferPointer { bytes in
            var found: [String] = []
            var index = 0
            while index + mark.count < bytes.count {
                guard bytes[index] == mark[0], bytes[index...].starts(with: mark) else {
                    index += 1
                    continue
                }
                found.append(String(decoding: bytes[(index + 1)...].prefix(length), as: UTF8.self))
                index += mark.count
            }
            return found
        }
    }

    /// - Parameter resolve: the text that a reference stands for; `nil` if it was erased.
    /// - Throws: ``EMSError`` if it is damaged, or of another position.
    public func change(at position: Int64, resolving resolve: (String) throws -> String?) throws -> Change {
        let json = try canonical.value()
        guard json["position"]?.integer == position, let id = json["change_id"]?.string.flatMap({ ChangeID($0) }) else {
            throw EMSError.damagedEntry(position)
        }
        let masked = try Change(id: id, json: json)
        return try masked.replacingTexts { text in
            guard text.value.hasPrefix(PersonalText.prefix) else { return text.value }
            return try resolve(text.value) ?? PersonalText.erased
        }
    }
}

extension Change {
    /// The texts of it that belong to a person: the user's name, the address that the request came from, and of an account what it is
    /// called.
    public var personalTexts: [PersonalText] {
        var texts: [PersonalText] = []
        _ = replacingTexts { text in
            texts.append(text)
            return text.value
        }
        return texts
    }

    /// Whose texts they are: the actor's, or those of whoever the change is about.
    private var person: String {
        if actor.kind == .user, let id = actor.id { return id }
        switch subject.kind {
        case .user: return subject.id
        case .login: return UserID(subject.id) == nil ? "" : subject.id
        case .session: return (try? after?.value())?["user_id"]?.string ?? ""
        case .event, .subscription, .key, .import, .export, .purge: return ""
        }
    }

    func replacingTexts(_ replacement: (PersonalText) throws -> String) rethrows -> Change {
        var (actor, source, before, after) = (actor, source, before, after)
        if actor.kind == .user {
            actor = Actor(kind: .user, id: actor.id, name: try replacement(PersonalText(person: person, value: actor.name)))
        }
        if let address = source.address {
            source = ChangeSource(
                source.kind, address: try replacement(PersonalText(person: person, value: address)), requestID: source.requestID,
                traceparent: source.traceparent)
        }
        if subject.kind == .user {
            before = try before.map { try replacingTexts(in: $0, replacement) }
            after = try after.map { try replacingTexts(in: $0, replacement) }
        }
        return Change(
            id: id, subject: subject, action: action, version: version, actor: actor, source: source, timestamp: timestamp, before: before,
            after: after, isQuiet: isQuiet)
    }

    /// A state of an account. One that is not JSON is damaged, and stays as it is.
    private func replacingTexts(in state: JSONText, _ replacement: (PersonalText) throws -> String) rethrows -> JSONText {
        guard case .object(let members)? = try? state.value() else { return state }
        return JSONText(
            .object(
                try members.map { member in
                    guard User.personalFields.contains(member.name), let value = member.value.string else { return member }
                    return JSONValue.Member(
                        name: member.name, value: .string(try replacement(PersonalText(person: subject.id, value: value))))
                }))
    }
}

extension EMSError {
    /// An entry of the journal cannot be read.
    public static func damagedEntry(_ position: Int64) -> EMSError {
        EMSError(.storeCorrupt, "the journal's entry \(position) is damaged", fix: "ems audit verify; restore a backup")
    }
}
