using System.CommandLine;
using BpfRemote.Client;

namespace BpfRemote.Cli.Arguments;

/// <summary>Where the types of maps come from.</summary>
internal sealed class SchemaOptions
{
    private const string DirectoryVariable = "BPFREMOTE_SCHEMA_DIR";

    private readonly Option<bool> _none = new("--no-btf")
    {
        Description = "Show entries as bytes, whatever their types are.",
    };

    private readonly Option<string?> _file = new("--btf")
    {
        Description = "Take the types from an object file (.o) or raw BTF, by the map's definition in it or the types named below.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _keyType = new("--key-type")
    {
        Description = "The type of the keys in the file of --btf, as C writes it: 'struct conn_key', u32.",
        HelpName = "TYPE",
    };

    private readonly Option<string?> _valueType = new("--value-type")
    {
        Description = "The type of the values.",
        HelpName = "TYPE",
    };

    private readonly Option<string?> _directory = new("--schema-dir")
    {
        Description = $"A directory of object files and raw BTF for maps that have no types. [default: ${DirectoryVariable}]",
        HelpName = "DIR",
    };

    public SchemaOptions(Command command)
    {
        foreach (Option option in (Option[])[_file, _keyType, _valueType, _directory, _none])
        {
            command.Add(option);
        }
    }

    /// <exception cref="CommandException">Options contradict each other.</exception>
    /// <exception cref="SchemaException">The directory cannot be used.</exception>
    public SchemaSource Read(ParseResult parse, Session session)
    {
        string? file = parse.GetValue(_file), keyType = parse.GetValue(_keyType), valueType = parse.GetValue(_valueType);
        if (file is null && (keyType is not null || valueType is not null))
        {
            throw CommandException.Usage("--key-type and --value-type name types of a file: --btf FILE is missing");
        }

        if (keyType is not null && valueType is null)
        {
            throw CommandException.Usage("--key-type is not enough: --value-type is missing");
        }

        if (parse.GetValue(_none))
        {
            return file is null ? SchemaSource.None : throw CommandException.Usage("--no-btf contradicts --btf");
        }

        if (session.Settings.Format == OutputFormat.Raw)
        {
            return SchemaSource.None;
        }

        if (file is not null)
        {
            return SchemaSource.Given(valueType is null
                ? map => MapSchema.FromFile(map, file)
                : map => MapSchema.Create(map, MapSchema.ReadTypes(file), keyType, valueType));
        }

        string? directory = parse.GetValue(_directory) ?? Environment.GetEnvironmentVariable(DirectoryVariable);
        return SchemaSource.Own(session, string.IsNullOrEmpty(directory) ? null : SchemaDirectory.Load(directory));
    }
}
