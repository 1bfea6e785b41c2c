// What the commands share. Each command is one file with one function that adds it to the program, and one namespace
// for what is its own: several files go to one call of the compiler.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace amae::cli {

/// Flags that stand before or after any command.
struct Globals {
  std::vector<std::filesystem::path> plugin_path;
  std::string device = "auto";
  int threads = 0;
  std::vector<std::string> argv;
};

/// The exit code that the chosen command ends with.
using Exit = int;

void add_run(CLI::App& app, const Globals& globals, Exit& exit);
void add_evaluate(CLI::App& app, const Globals& globals, Exit& exit);
void add_predict(CLI::App& app, const Globals& globals, Exit& exit);
void add_list(CLI::App& app, const Globals& globals, Exit& exit);
void add_config(CLI::App& app, const Globals& globals, Exit& exit);
void add_model(CLI::App& app, const Globals& globals, Exit& exit);
void add_data(CLI::App& app, const Globals& globals, Exit& exit);
void add_data_synth(CLI::App& data, const Globals& globals, Exit& exit);  ///< below `amae data`
void add_data_audit(CLI::App& data, Exit& exit);                          ///< the same
void add_transform(CLI::App& app, const Globals& globals, Exit& exit);
void add_embed(CLI::App& app, const Globals& globals, Exit& exit);
void add_index(CLI::App& app, Exit& exit);
void add_search(CLI::App& app, const Globals& globals, Exit& exit);
void add_serve(CLI::App& app, const Globals& globals, Exit& exit);
void add_map(CLI::App& app, Exit& exit);
void add_import(CLI::App& app, const Globals& globals, Exit& exit);
void add_export(CLI::App& app, const Globals& globals, Exit& exit);
void add_cache(CLI::App& app, const Globals& globals, Exit& exit);
void add_plugin(CLI::App& app, const Globals& globals, Exit& exit);
void add_plugin_new(CLI::App& plugin, Exit& exit);  ///< below `amae plugin`

/// Prints a table with aligned columns on stdout; the first row is the header.
void print_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace amae::cli
