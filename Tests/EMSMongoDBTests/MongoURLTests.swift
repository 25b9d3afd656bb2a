@testable import EMSMongoDB
import EMSCore
import Testing

@Suite("Connection strings of MongoDB")
struct MongoURLTests {
    @Test("Servers are told without user and password")
    func servers() throws {
        let url = try MongoURL("mongodb://ems:hunter2@one.example.com:27018,two.example.com/events?replicaSet=rs0")
        #expect(url.servers == "one.example.com:27018,two.example.com:27017")
        #expect(url.database == "events")
        #expect(try MongoURL("mongodb://localhost").database == nil)
    }

    @Test("The size of the pool is the URL's, or ours")
    func pool() throws {
        #expect(try MongoURL("mongodb://localhost").connections == 16)
        #expect(try MongoURL("mongodb://localhost/?maxPoolSize=3").connections == 3)
    }

    @Test(
        "What cannot be read is refused without showing any of it",
        arguments: [
            "mongodb://ems:hunter2@", "mongodb://ems:pass@hunter2@host/", "mongodb://ems:hunter2@host:port/", "mongodb://ems:hunter2@[::1",
            "mongodb:///hunter2?", "",
        ])
    func malformed(text: String) {
        #expect {
            try MongoURL(text)
        } throws: { error in
            guard let error = error as? EMSError else { return false }
            return error.code == .configuration && !error.description.contains("hunter2")
        }
    }

    @Test("A name that is none for a database is refused", arguments: ["a b", "a/b", "a.b", "", "$x", String(repeating: "x", count: 64)])
    func badDatabase(name: String) {
        #expect { try MongoDatabase(url: "mongodb://localhost", name: name) } throws: { ($0 as? EMSError)?.code == .configuration }
    }
}
