import Testing

@testable import EMSCore

@Suite("Who may do what")
struct PermissionsTests {
    static let then = Timestamp(milliseconds: 1_772_355_600_000)
    static let owner = User(username: "owner", email: "owner@example.com", createdAt: then)
    static let stranger = User(username: "stranger", email: "stranger@example.com", createdAt: then)
    static let organizer = User(username: "organizer", email: "organizer@example.com", role: .organizer, createdAt: then)
    static let admin = User(username: "admin", email: "admin@example.com", role: .admin, createdAt: then)

    static func event(by creator: String) -> Event {
        Event(
            title: "x", description: "", location: "", startTime: then, endTime: then.adding(seconds: 1), createdBy: creator,
            createdAt: then)
    }

    struct Row: Sendable {
        let who: Principal
        let mayChange: Bool
        let mayListUsers: Bool
        let maySeePrivateFields: Bool
    }

    @Test(
        "The creator, admins and operators change an event; admins and operators list users; one sees one's own private fields",
        arguments: [
            Row(who: Principal(.user(owner), via: .init(.http)), mayChange: true, mayListUsers: false, maySeePrivateFields: true),
            Row(who: Principal(.user(stranger), via: .init(.http)), mayChange: false, mayListUsers: false, maySeePrivateFields: false),
            Row(who: Principal(.user(organizer), via: .init(.http)), mayChange: false, mayListUsers: false, maySeePrivateFields: false),
            Row(who: Principal(.user(admin), via: .init(.http)), mayChange: true, mayListUsers: true, maySeePrivateFields: true),
            Row(who: Principal(.operator("root"), via: .init(.cli)), mayChange: true, mayListUsers: true, maySeePrivateFields: true),
        ])
    func matrix(_ row: Row) {
        #expect(Permissions().mayChange(Self.event(by: Self.owner.id.description), row.who) == row.mayChange)
        #expect(Permissions().allows(.listUsers, row.who) == row.mayListUsers)
        #expect(Permissions().maySeePrivateFields(of: Self.owner, row.who) == row.maySeePrivateFields)
    }

    @Test("A user called like an operator's record is not that operator")
    func operatorsEvents() {
        let event = Self.event(by: "operator:stranger")
        #expect(!Permissions().mayChange(event, Principal(.user(Self.stranger), via: .init(.http))))
        #expect(Permissions().mayChange(event, Principal(.operator("stranger"), via: .init(.cli))))
    }

    @Test("A principal has an identity for the record and a name for others")
    func names() {
        let (owner, root) = (Principal(.user(Self.owner), via: .init(.http)), Principal(.operator("root"), via: .init(.cli)))
        #expect(owner.identity == Self.owner.id.description)
        #expect(owner.displayName == "owner")
        #expect(owner.actor == Actor(kind: .user, id: Self.owner.id.description, name: "owner"))
        #expect(root.identity == "operator:root")
        #expect(root.displayName == "operator:root")
        #expect(root.actor == Actor(kind: .operator, id: "operator:root", name: "operator:root"))
    }
}
