import EMSCore
import Testing

/// What every ``UserStore`` does.
public enum UserStoreConformance {
    public static let cases: [ConformanceCase] = [
        ConformanceCase("A stored user is found by id, username and email, and reads as it was written") { fixture in
            let users = fixture.stores.users
            let user = User(
                username: "Alice", email: "Alice@Example.com", fullName: nil, role: .organizer, isActive: false, createdAt: Samples.epoch,
                updatedAt: Samples.hour(1), lastLoginAt: Samples.hour(2))
            try await users.insert(user, passwordHash: "secret")
            #expect(try await users.user(id: user.id) == user)
            #expect(try await users.user(login: "Alice") == user)
            #expect(try await users.user(login: "Alice@Example.com") == user)
        },
        ConformanceCase("A login is found in any letter case") { fixture in
            let users = fixture.stores.users
            let user = try await fixture.add(Samples.user("Alice", email: "Alice@Example.com"))
            for login in ["alice", "ALICE", "alice@example.com", "ALICE@EXAMPLE.COM"] {
                #expect(try await users.user(login: login) == user, "\(login)")
                #expect(try await users.credentials(login: login)?.user == user, "\(login)")
            }
        },
        ConformanceCase("Nobody is found by an unknown id, a strange login or a part of a login") { fixture in
            let users = fixture.stores.users
            try await fixture.add(Samples.user("alice"))
            #expect(try await users.user(id: UserID()) == nil)
            #expect(try await users.credentials(id: UserID()) == nil)
            for login in ["", "alic", "alice_", "%", "_____", "alice\0", "alice'--", "@", "alice@", "alice@example.com "] {
                #expect(try await users.user(login: login) == nil, "\(login)")
                #expect(try await users.credentials(login: login) == nil, "\(login)")
            }
        },
        ConformanceCase("Credentials hold the hash, which a new password replaces") { fixture in
            let users = fixture.stores.users
            let user = try await fixture.add(Samples.user("alice"))
            #expect(try await users.credentials(id: user.id)?.passwordHash == "hash of alice")
            try await users.setPasswordHash("another", of: user.id, expecting: nil, at: Samples.hour(3))
            let credentials = try #require(try await users.credentials(login: "alice"))
            #expect(credentials.passwordHash == "another")
            #expect(credentials.user.updatedAt == Samples.hour(3))
            await expectFailure(.notFound) { try await users.setPasswordHash("x", of: UserID(), expecting: nil, at: Samples.epoch) }
        },
        ConformanceCase("Of many users at once all are stored but those whose name or address is taken") { fixture in
            let users = fixture.stores.users
            try await fixture.add(Samples.user("alice"))
            let batch = [
                Samples.user("bob"), Samples.user("ALICE", email: "other@example.com"), Samples.user("carol", email: "Alice@example.com"),
                Samples.user("dave"), Samples.user("Dave", email: "dave2@example.com"),
            ]
            let refused = try await users.insert(batch.map { (user: $0, passwordHash: "hash of \($0.username)") })
            #expect(refused.mapValues(\.code) == [1: .usernameTaken, 2: .emailTaken, 4: .usernameTaken])
            #expect(try await users.users(UserQuery()).total == Total(count: 3))
            #expect(try await users.credentials(login: "bob")?.passwordHash == "hash of bob")
            #expect(try await fixture.stores.notifications.unreadCount(of: batch[3].id) == 0)
            #expect(try await users.insert([]).isEmpty)
        },
        ConformanceCase("Users are found by many names at once, and names by how they begin, in any letter case") { fixture in
            let users = fixture.stores.users
            for name in ["alice", "Alan", "bob"] { try await fixture.add(Samples.user(name)) }
            #expect(Set(try await users.users(usernames: ["ALICE", "bob", "nobody"]).map(\.username)) == ["alice", "bob"])
            #expect(try await users.usernames(beginningWith: "AL", limit: 10) == ["Alan", "alice"])
            #expect(try await users.usernames(beginningWith: "", limit: 1) == ["Alan"])
            #expect(try await users.usernames(beginningWith: "x", limit: 10).isEmpty)
        },
        ConformanceCase("Who was not seen since a moment is found, who is away longest first, page by page") { fixture in
            let users = fixture.stores.users
            var stored: [User] = []
            for index in 0..<5 { stored.append(try await fixture.add(Samples.user("user\(index)"))) }
            try await users.recordLogin(of: stored[0].id, at: Samples.hour(9))
            try await users.recordLogin(of: stored[1].id, at: Samples.hour(2))
            try await users.recordLogin(of: stored[2].id, at: Samples.hour(1))
            var query = UserQuery(unseenSince: Samples.hour(5), page: PageRequest(size: 2))
            var names: [String] = []
            repeat {
                let page = try await users.users(query)
                #expect(page.total == Total(count: 4))
                names += page.users.map(\.username)
                query.page.after = page.next
            } while query.page.after != nil
            #expect(names == ["user3", "user4", "user2", "user1"])
            query = UserQuery(role: .user, isActive: true, unseenSince: Samples.hour(1))
            #expect(try await users.users(query).users.map(\.username) == ["user3", "user4"])
        },
        ConformanceCase("A log-in is noted, and nothing else changes") { fixture in
            let users = fixture.stores.users
            var user = try await fixture.add(Samples.user("alice"))
            try await users.recordLogin(of: user.id, at: Samples.hour(5))
            user.lastLoginAt = Samples.hour(5)
            #expect(try await users.user(id: user.id) == user)
        },
        ConformanceCase("Of eight that want one username at once, in different letter case, exactly one gets it") { fixture in
            let users = fixture.stores.users
            let names = ["alice", "Alice", "ALICE", "aLICE", "alIce", "alicE", "AlicE", "aLiCe"]
            let results = await concurrently(8) { index in
                try await users.insert(Samples.user(names[index], email: "a\(index)@example.com"), passwordHash: "x")
            }
            #expect(results.count(where: \.isSuccess) == 1)
            #expect(results.count { $0.errorCode == .usernameTaken } == 7)
            let page = try await users.users(UserQuery())
            #expect(page.total == Total(count: 1))
        },
        ConformanceCase("Of eight that want one email at once, in different letter case, exactly one gets it") { fixture in
            let users = fixture.stores.users
            let results = await concurrently(8) { index in
                let local = index.isMultiple(of: 2) ? "SHARED" : "shared"
                try await users.insert(Samples.user("user\(index)", email: "\(local)@Example.com"), passwordHash: "x")
            }
            #expect(results.count(where: \.isSuccess) == 1)
            #expect(results.count { $0.errorCode == .emailTaken } == 7)
            let page = try await users.users(UserQuery())
            #expect(page.total == Total(count: 1))
        },
        ConformanceCase("A refused user leaves nothing behind") { fixture in
            let users = fixture.stores.users
            try await fixture.add(Samples.user("alice"))
            let late = Samples.user("ALICE", email: "other@example.com")
            await expectFailure(.usernameTaken) { try await fixture.add(late) }
            #expect(try await users.user(id: late.id) == nil)
            #expect(try await users.user(login: "other@example.com") == nil)
            await expectFailure(.notFound) { try await fixture.stores.notifications.unreadCount(of: late.id) }
        },
        ConformanceCase("A change writes the named fields, and leaves all others as others wrote them") { fixture in
            let users = fixture.stores.users
            var user = try await fixture.add(Samples.user("alice"))
            let changes: [(UserChange, (inout User) -> Void)] = [
                (UserChange(username: "Alicia"), { $0.username = "Alicia" }),
                (UserChange(email: "A@b.example"), { $0.email = "A@b.example" }),
                (UserChange(fullName: .some(nil)), { $0.fullName = nil }), (UserChange(fullName: "New"), { $0.fullName = "New" }),
                (UserChange(role: .admin), { $0.role = .admin }), (UserChange(isActive: false), { $0.isActive = false }),
                (
                    UserChange(username: "ali", email: "c@d.example", fullName: .some(nil), role: .organizer, isActive: true),
                    {
                        ($0.username, $0.email, $0.fullName, $0.role, $0.isActive) = ("ali", "c@d.example", nil, .organizer, true)
                    }
                ),
            ]
            for (index, (change, edit)) in changes.enumerated() {
                edit(&user)
                user.updatedAt = Samples.hour(index + 1)
                user.version += 1
                #expect(try await users.change(user.id, change, at: user.updatedAt) == user)
                #expect(try await users.user(id: user.id) == user)
            }
            #expect(try await users.user(login: "ALI") == user)
            #expect(try await users.user(login: "alicia") == nil)
            #expect(try await users.credentials(id: user.id)?.passwordHash == "hash of alice")
            await expectFailure(.notFound) { _ = try await users.change(UserID(), UserChange(role: .admin), at: Samples.epoch) }
        },
        ConformanceCase("Changes of different fields at once are all kept") { fixture in
            let users = fixture.stores.users
            let user = try await fixture.add(Samples.user("alice"))
            let results = await concurrently(24) { index in
                switch index % 3 {
                case 0: _ = try await users.change(user.id, UserChange(fullName: "Name \(index)"), at: Samples.epoch)
                case 1: _ = try await users.change(user.id, UserChange(isActive: false), at: Samples.epoch)
                default: _ = try await users.change(user.id, UserChange(role: .organizer), at: Samples.epoch)
                }
            }
            #expect(results.count(where: \.isSuccess) == 24)
            let stored = try #require(try await users.user(id: user.id))
            #expect(!stored.isActive && stored.role == .organizer && stored.fullName?.hasPrefix("Name ") == true)
        },
        ConformanceCase("A password is set only on the credentials that were verified") { fixture in
            let users = fixture.stores.users
            let user = try await fixture.add(Samples.user("alice"))
            let verified = try #require(try await users.credentials(id: user.id)).version
            try await users.setPasswordHash("first", of: user.id, expecting: verified, at: Samples.hour(1))
            await expectFailure(.versionConflict) {
                try await users.setPasswordHash("second", of: user.id, expecting: verified, at: Samples.hour(2))
            }
            #expect(try await users.credentials(id: user.id)?.passwordHash == "first")
            try await users.setPasswordHash("third", of: user.id, expecting: nil, at: Samples.hour(3))
            #expect(try await users.credentials(login: "alice")?.passwordHash == "third")
            await expectFailure(.notFound) {
                try await users.setPasswordHash("x", of: UserID(), expecting: 0, at: Samples.epoch)
            }
        },
        ConformanceCase("A log-in that is recorded late does not move the last one back") { fixture in
            let users = fixture.stores.users
            let user = try await fixture.add(Samples.user("alice"))
            for hour in [5, 3, 6, 1] { try await users.recordLogin(of: user.id, at: Samples.hour(hour)) }
            #expect(try await users.user(id: user.id)?.lastLoginAt == Samples.hour(6))
        },
        ConformanceCase("A change to another's name or email is refused, one to one's own in other letters is not") { fixture in
            let users = fixture.stores.users
            try await fixture.add(Samples.user("alice"))
            let bob = try await fixture.add(Samples.user("bob"))
            let now = Samples.hour(1)
            await expectFailure(.usernameTaken) { _ = try await users.change(bob.id, UserChange(username: "ALICE"), at: now) }
            await expectFailure(.emailTaken) { _ = try await users.change(bob.id, UserChange(email: "ALICE@example.com"), at: now) }
            #expect(try await users.user(id: bob.id) == bob)
            let louder = try await users.change(bob.id, UserChange(username: "BOB", email: "BOB@example.com"), at: now)
            #expect(louder.username == "BOB" && louder.email == "BOB@example.com")
        },
        ConformanceCase("A name that was given up is free again") { fixture in
            let users = fixture.stores.users
            let alice = try await fixture.add(Samples.user("alice"))
            _ = try await users.change(alice.id, UserChange(username: "alicia", email: "alicia@example.com"), at: Samples.epoch)
            let next = try await fixture.add(Samples.user("alice"))
            #expect(try await users.user(login: "alice")?.id == next.id)
            #expect(try await users.delete(id: next.id, at: Samples.epoch))
            try await fixture.add(Samples.user("ALICE"))
        },
        ConformanceCase("A deleted user is gone with subscriptions, inbox and sessions; the events stay") { fixture in
            let stores = fixture.stores
            let user = try await fixture.add(Samples.user("alice"))
            let event = try await fixture.add(Samples.event(by: user.id.description))
            let session = Samples.session(of: user.id)
            #expect(try await stores.tokens.open(session, refreshToken: Samples.refreshToken(1, of: session), verified: 0))
            _ = try await stores.subscriptions.subscribe(user.id, to: event.id, by: Samples.author, at: Samples.epoch)
            try await fixture.record(Samples.followUp(.eventUpdated, event))

            #expect(try await stores.users.delete(id: user.id, at: Samples.epoch.adding(seconds: 60)))
            #expect(try await !stores.users.delete(id: user.id, at: Samples.epoch.adding(seconds: 61)))
            #expect(try await stores.users.user(id: user.id) == nil)
            #expect(try await stores.users.user(login: "alice") == nil)
            #expect(try await stores.subscriptions.subscriptions(of: user.id, after: nil, limit: 10).isEmpty)
            await expectFailure(.notFound) { try await stores.notifications.unreadCount(of: user.id) }
            #expect(try await stores.tokens.sessionAndUser(id: session.id) == nil)
            #expect(try await stores.tokens.session(id: session.id)?.endedAt != nil)
            #expect(try await stores.events.event(id: event.id) == event)
            let later = try await fixture.record(Samples.followUp(.eventUpdated, event))
            #expect(try await stores.notifications.recipients(of: later.position, among: [user.id]).isEmpty)
        },
        ConformanceCase("Users come in the order of their ids, by page number and by cursor alike") { fixture in
            let users = fixture.stores.users
            var all: [UserID] = []
            for index in 0..<7 { all.append(try await fixture.add(Samples.user("user\(9 - index)")).id) }
            let second = try await users.users(UserQuery(page: PageRequest(number: 2, size: 3)))
            #expect(second.users.map(\.id) == Array(all[3..<6]))
            #expect(second.total == Total(count: 7))
            var read: [UserID] = []
            var cursor: PageCursor?
            repeat {
                let page = try await users.users(UserQuery(page: PageRequest(size: 3, after: cursor)))
                read += page.users.map(\.id)
                cursor = page.next
                if read.count > 7 { break }
            } while cursor != nil
            #expect(read == all)
            let beyond = try await users.users(UserQuery(page: PageRequest(number: 9, size: 3)))
            #expect(beyond.users.isEmpty && beyond.next == nil)
        },
        ConformanceCase("Users are filtered by role and by whether they are active, and counted accordingly") { fixture in
            let users = fixture.stores.users
            let admin = try await fixture.add(Samples.user("admin", role: .admin))
            let sleeping = try await fixture.add(Samples.user("sleeping", role: .admin, isActive: false))
            let plain = try await fixture.add(Samples.user("plain"))
            func found(_ role: Role?, _ isActive: Bool?) async throws -> [UserID] {
                let page = try await users.users(UserQuery(role: role, isActive: isActive))
                #expect(page.total == Total(count: page.users.count))
                return page.users.map(\.id)
            }
            #expect(try await found(.admin, nil) == [admin.id, sleeping.id])
            #expect(try await found(nil, true) == [admin.id, plain.id])
            #expect(try await found(.admin, false) == [sleeping.id])
            #expect(try await found(.organizer, nil).isEmpty)
            _ = try await users.change(plain.id, UserChange(role: .organizer, isActive: false), at: Samples.epoch)
            #expect(try await found(.organizer, nil) == [plain.id])
            #expect(try await found(nil, false) == [sleeping.id, plain.id])
            _ = try await users.delete(id: sleeping.id, at: Samples.epoch)
            #expect(try await found(nil, false) == [plain.id])
            #expect(try await found(.admin, nil) == [admin.id])
        },
    ]
}
