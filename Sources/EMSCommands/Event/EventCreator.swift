import EMSCore
import EMSRuntime

extension Runtime {
    /// A creator as it is recorded: a user's id, or an operator's name as it stands.
    func creator(named name: String?) async throws -> String? {
        guard let name, !name.hasPrefix("operator:") else { return name }
        return try await users.user(named: name).id.description
    }
}
