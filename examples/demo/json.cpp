// Boost.JSON without a library of its own: its source, compiled once, here.
#include <boost/json/src.hpp>
