using BpfRemote.Btf;
using BpfRemote.Btf.Tests;
using BpfRemote.V1;

namespace BpfRemote.Client.Tests;

/// <summary>Types that users bring for maps that have none.</summary>
public sealed class SchemaTests : IDisposable
{
    private static readonly Map Map = new() { Id = 7, Name = "connection_trac", KeySize = 4, ValueSize = 8 };

    private readonly string _directory = Directory.CreateTempSubdirectory("bpfremote-schema-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_file_that_defines_the_map_tells_its_types()
    {
        // Longer than what the kernel keeps of it.
        string file = Write("edge.btf", Program("connection_tracking"));
        MapSchema schema = MapSchema.FromFile(Map, file);
        Assert.Equal("unsigned int", schema.Key?.TypeName);
        Assert.Equal("struct stats", schema.Value.TypeName);
    }

    [Theory]
    [InlineData("other", 4, 8)]
    [InlineData("connection_tracking", 5, 8)]
    [InlineData("connection_tracking", 4, 9)]
    public void A_file_that_does_not_define_the_map_says_what_it_defines(string name, uint keySize, uint valueSize)
    {
        string file = Write("edge.btf", Program(name));
        Map map = Map.Clone();
        map.KeySize = keySize;
        map.ValueSize = valueSize;
        SchemaException error = Assert.Throws<SchemaException>(() => MapSchema.FromFile(map, file));
        Assert.Equal(
            $"{file} does not define a map connection_trac with keys of {keySize} bytes and values of {valueSize}; it defines {name} (4, 8)",
            error.Message);
    }

    [Fact]
    public void Types_are_found_by_name()
    {
        BtfTypes types = Program("m").Parse();
        Assert.Equal("struct stats", MapSchema.Create(Map, types, keyType: null, "stats").Value.TypeName);
        Assert.Equal("unsigned int", MapSchema.Create(Map, types, "unsigned int", "struct stats").Key?.TypeName);
    }

    [Theory]
    [InlineData(null, "struct stat", "There is no type 'struct stat'. Did you mean stats?")]
    [InlineData("struct stats", "struct stats", "The map's keys have 4 bytes, and struct stats takes 8.")]
    [InlineData("unsigned int", "unsigned int", "The map's values have 8 bytes, and unsigned int takes 4.")]
    public void Names_that_are_no_types_of_the_map_are_refused(string? keyType, string valueType, string expected)
    {
        SchemaException error = Assert.Throws<SchemaException>(() => MapSchema.Create(Map, Program("m").Parse(), keyType, valueType));
        Assert.Equal($"Map 7 (connection_trac): {expected}", error.Message);
    }

    [Fact]
    public void Files_without_types_are_refused()
    {
        string file = Path.Combine(_directory, "text.o");
        File.WriteAllText(file, "no object file");
        Assert.StartsWith($"Cannot read types from {file}: ", Assert.Throws<SchemaException>(() => MapSchema.ReadTypes(file)).Message, StringComparison.Ordinal);
        Assert.StartsWith(
            $"Cannot read types from {file}x: ", Assert.Throws<SchemaException>(() => MapSchema.ReadTypes(file + "x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_finds_maps_by_their_definitions()
    {
        Write("a.btf", Program("other"));
        Write("b.btf", Program("connection_tracking"));
        SchemaDirectory directory = SchemaDirectory.Load(_directory);
        Assert.Equal("struct stats", directory.Find(Map)?.Value.TypeName);
        Assert.Null(directory.Find(new() { Id = 8, Name = "unknown", KeySize = 4, ValueSize = 8 }));
        Assert.Null(directory.Find(new() { Id = 8, Name = "other", KeySize = 4, ValueSize = 4 }));
    }

    [Theory]
    [InlineData("""[{ "name": "conn*", "file": "a.btf", "valueType": "pair" }]""", null, "struct pair")]
    [InlineData("""[{ "name": "x*", "file": "a.btf", "valueType": "pair" }]""", null, null)]
    [InlineData("""[{ "pinnedPath": "/sys/fs/bpf/*/conn", "file": "a.btf", "valueType": "pair" }]""", "/sys/fs/bpf/edge/conn", "struct pair")]
    [InlineData("""[{ "pinnedPath": "/sys/fs/bpf/*", "file": "a.btf", "valueType": "pair" }]""", "/sys/fs/bpf/edge/conn", null)]
    [InlineData("""[{ "pinnedPath": "/sys/**", "name": "x", "file": "a.btf", "valueType": "pair" }]""", "/sys/fs/bpf/edge/conn", null)]
    [InlineData(
        """
        [
          // The first that fits counts.
          { "name": "conn*", "file": "a.btf", "keyType": "unsigned int", "valueType": "stats" },
          { "name": "*", "file": "a.btf", "valueType": "pair" }
        ]
        """, null, "struct stats")]
    public void An_index_finds_maps_by_globs(string index, string? pinnedPath, string? expected)
    {
        Write("a.btf", Program("other"));
        File.WriteAllText(Path.Combine(_directory, "schemas.json"), index);
        Assert.Equal(expected, SchemaDirectory.Load(_directory).Find(Map, pinnedPath)?.Value.TypeName);
    }

    [Fact]
    public void Known_pins_of_a_map_count_too()
    {
        Write("a.btf", Program("other"));
        File.WriteAllText(
            Path.Combine(_directory, "schemas.json"), """[{ "pinnedPath": "/sys/fs/bpf/conn", "file": "a.btf", "valueType": "pair" }]""");
        Map map = Map.Clone();
        map.PinnedPaths.Add("/sys/fs/bpf/conn");
        Assert.NotNull(SchemaDirectory.Load(_directory).Find(map));
    }

    [Theory]
    [InlineData("[", "schemas.json: ")]
    [InlineData("""[{ "name": "a", "valueType": "pair" }]""", "'file'")]
    [InlineData("""[{ "name": "a", "file": "a.btf", "valueTypes": "pair" }]""", "'valueTypes'")]
    [InlineData("""[{ "file": "a.btf", "valueType": "pair" }]""", "element 1: expected pinnedPath, name, or both")]
    [InlineData("""[{ "name": "a", "file": "b.btf", "valueType": "pair" }]""", "element 1: there is no file b.btf; expected one of a.btf")]
    [InlineData("""[{ "name": "[", "file": "a.btf", "valueType": "pair" }]""", "element 1: '[' is no glob: '[' without ']'")]
    public void An_index_that_cannot_be_used_is_refused(string index, string expected)
    {
        Write("a.btf", Program("other"));
        File.WriteAllText(Path.Combine(_directory, "schemas.json"), index);
        Assert.Contains(expected, Assert.Throws<SchemaException>(() => SchemaDirectory.Load(_directory)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_is_none_is_refused() => Assert.StartsWith(
        $"Cannot read the schema directory {_directory}/none: ",
        Assert.Throws<SchemaException>(() => SchemaDirectory.Load($"{_directory}/none")).Message, StringComparison.Ordinal);

    /// <summary>The types of a program with one map: struct { unsigned int *key; struct stats *value; } NAME SEC(".maps").</summary>
    private static BtfWriter Program(string mapName)
    {
        BtfWriter types = new();
        uint word = types.Int("unsigned int", 4);
        uint stats = types.Struct("stats", 8, ("hits", word, 0), ("misses", word, 32));
        types.Struct("pair", 8, ("a", word, 0), ("b", word, 32));
        uint definition = types.Struct("", 16, ("key", types.Ptr(word), 0), ("value", types.Ptr(stats), 64));
        types.DataSec(".maps", 16, (types.Var(mapName, definition, 1), 0, 16));
        return types;
    }

    private string Write(string name, BtfWriter types)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, types.ToArray());
        return path;
    }
}
