#include "serve/errors.h"

#include <new>
#include <string>

#include "amae/error.h"
#include "base/log.h"
#include "http/bad_request.h"
#include "http/server.h"

namespace amae::serve {
namespace {

http::Response response_of(int status, const Problem& problem) {
  // Options of the command line are fields of a request here.
  const std::string field = problem.field.starts_with("--") ? "/" + problem.field.substr(2)
                            : problem.field == "-k"         ? "/k"
                                                            : problem.field;
  // Where a condition on a column failed is a path of this machine.
  const bool tells_where = !problem.where.empty() && status != 400;
  const std::string message = tells_where ? problem.where + ": " + problem.message : problem.message;
  http::Response response{status, "application/json", http::error_json(problem.code, message, field)};
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

int status_of(const InputError& error) {
  const Problem& problem = error.problems().front();
  if (problem.code == "ROUTE") return 404;
  if (problem.code == "BUSY") return 503;
  if (problem.code == "QUERY" && (problem.field == "/row" || problem.field == "/id")) return 404;
  const bool is_option = problem.field == "--where" || problem.field == "/where" || problem.field == "-k";
  return is_option ? 400 : 422;
}

}  // namespace

http::Response error_response(const std::exception_ptr& why) {
  std::string text;
  try {
    std::rethrow_exception(why);
  } catch (const http::BadRequest& error) {
    return response_of(error.status(), error.problems().front());
  } catch (const InputError& error) {
    return response_of(status_of(error), error.problems().front());
  } catch (const DivergenceError& error) {
    return response_of(422, error.problems().front());
  } catch (const EnvironmentError& error) {
    if (error.problems().front().code == "MEMORY") return response_of(503, error.problems().front());
    text = error.what();
  } catch (const Error& error) {
    text = error.what();
  } catch (const std::bad_alloc&) {
    return response_of(503, {"MEMORY", "", "", "out of memory"});
  } catch (const std::exception& error) {
    text = error.what();
  } catch (...) {
    text = "an exception that is none of std's";
  }
  text = text.substr(0, text.find('\n'));
  log::warning("a request failed: {}", text);
  return {500, "application/json", http::error_json("INTERNAL", text)};
}

}  // namespace amae::serve
