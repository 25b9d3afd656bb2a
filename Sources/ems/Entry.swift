import EMSCommands

@main
struct Entry {
    static func main() {
        CommandLineMain.run()
    }
}
