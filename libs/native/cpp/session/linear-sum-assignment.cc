// The assignment problem of matching queries to objects: each row to at most one column so that the sum of costs is least.
// By shortest augmenting paths (Jonker and Volgenant, 1987, for rectangles as in Crouse, 2016), in float64; among several
// best assignments it takes the one that SciPy's `linear_sum_assignment` takes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "kernel.h"
#include "threads.h"

namespace pyramidal {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rows are at most as many as columns.
class Assignment {
 public:
  Assignment(int rows, int columns, std::vector<double> costs)
      : rows_(rows), columns_(columns), costs_(std::move(costs)), rowPrice_(rows), columnPrice_(columns),
        columnOfRow_(rows, -1), rowOfColumn_(columns, -1), distance_(columns), before_(columns, -1) {}

  // The column of each row.
  const std::vector<int> &Solve() {
    for (int row = 0; row < rows_; row++) Assign(row);
    return columnOfRow_;
  }

 private:
  void Assign(int first) {
    std::fill(distance_.begin(), distance_.end(), kInfinity);
    std::vector<bool> seenRows(rows_), seenColumns(columns_);
    // In reverse, and the last takes the place of one that is done: among equal ones SciPy takes them in this order.
    std::vector<int> open(columns_);
    for (int i = 0; i < columns_; i++) open[i] = columns_ - 1 - i;
    double shortest = 0;
    int sink = -1;
    for (int row = first; sink < 0;) {
      seenRows[row] = true;
      int next = -1;
      double lowest = kInfinity;
      for (int i = 0; i < static_cast<int>(open.size()); i++) {
        const int column = open[i];
        const double reduced = shortest + costs_[static_cast<size_t>(row) * columns_ + column] - rowPrice_[row] -
                               columnPrice_[column];
        if (reduced < distance_[column]) {
          before_[column] = row;
          distance_[column] = reduced;
        }
        const bool isFree = rowOfColumn_[column] < 0;
        if (distance_[column] < lowest || (distance_[column] == lowest && isFree)) {
          lowest = distance_[column];
          next = i;
        }
      }
      if (lowest == kInfinity) throw std::runtime_error("no assignment has a finite cost");
      shortest = lowest;
      const int column = open[next];
      seenColumns[column] = true;
      open[next] = open.back();
      open.pop_back();
      if (rowOfColumn_[column] < 0) sink = column;
      else row = rowOfColumn_[column];
    }
    Reprice(first, shortest, seenRows, seenColumns);
    for (int column = sink, row = -1; row != first;) {
      row = before_[column];
      rowOfColumn_[column] = row;
      std::swap(columnOfRow_[row], column);
    }
  }

  void Reprice(int first, double shortest, const std::vector<bool> &seenRows, const std::vector<bool> &seenColumns) {
    rowPrice_[first] += shortest;
    for (int row = 0; row < rows_; row++) {
      if (seenRows[row] && row != first) rowPrice_[row] += shortest - distance_[columnOfRow_[row]];
    }
    for (int column = 0; column < columns_; column++) {
      if (seenColumns[column]) columnPrice_[column] -= shortest - distance_[column];
    }
  }

  const int rows_;
  const int columns_;
  const std::vector<double> costs_;
  std::vector<double> rowPrice_, columnPrice_;
  std::vector<int> columnOfRow_, rowOfColumn_;
  // Of the shortest path to a column, and the row before it there.
  std::vector<double> distance_;
  std::vector<int> before_;
};

std::vector<int> WhereTrue(const bool *mask, int64_t count) {
  std::vector<int> found;
  for (int64_t i = 0; i < count; i++) {
    if (mask[i]) found.push_back(static_cast<int>(i));
  }
  return found;
}

struct Matrix {
  const float *costs;
  std::vector<int> rows, columns;
  int64_t stride;

  double At(int row, int column) const {
    const double cost = costs[rows[row] * stride + columns[column]];
    if (!std::isnan(cost) && cost != -kInfinity) return cost;
    throw std::runtime_error("the cost of row " + std::to_string(rows[row]) + " and column " +
                             std::to_string(columns[column]) + " is " + (std::isnan(cost) ? "NaN" : "-Infinity"));
  }
};

void Solve(const Matrix &matrix, int32_t *columnOfRow, int32_t *rowOfColumn) {
  const int rows = static_cast<int>(matrix.rows.size());
  const int columns = static_cast<int>(matrix.columns.size());
  const bool isTall = columns < rows;
  const int few = std::min(rows, columns), many = std::max(rows, columns);
  std::vector<double> costs(static_cast<size_t>(few) * many);
  for (int i = 0; i < few; i++) {
    for (int j = 0; j < many; j++) costs[static_cast<size_t>(i) * many + j] = isTall ? matrix.At(j, i) : matrix.At(i, j);
  }
  Assignment assignment(few, many, std::move(costs));
  const std::vector<int> &matched = assignment.Solve();
  for (int i = 0; i < few; i++) {
    const int row = matrix.rows[isTall ? matched[i] : i];
    const int column = matrix.columns[isTall ? i : matched[i]];
    columnOfRow[row] = column;
    rowOfColumn[column] = row;
  }
}

void ComputeAssignment(void *, TF_OpKernelContext *context) {
  const Array costs = InputOf(context, 0), rows = InputOf(context, 1), columns = InputOf(context, 2);
  if (costs.rank() != 3) throw std::runtime_error("costs: expected [batch, rows, columns], received " + costs.shape());
  const int64_t batch = costs.size(0), height = costs.size(1), width = costs.size(2);
  rows.Expect("rows", {batch, height});
  columns.Expect("columns", {batch, width});
  const Array columnOfRow = OutputOf(context, 0, TF_INT32, {batch, height});
  const Array rowOfColumn = OutputOf(context, 1, TF_INT32, {batch, width});
  std::fill_n(columnOfRow.data<int32_t>(), batch * height, -1);
  std::fill_n(rowOfColumn.data<int32_t>(), batch * width, -1);
  std::vector<std::string> errors(batch);
  InParts(batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      try {
        Solve({costs.data<float>() + i * height * width, WhereTrue(rows.data<bool>() + i * height, height),
               WhereTrue(columns.data<bool>() + i * width, width), width},
              columnOfRow.data<int32_t>() + i * height, rowOfColumn.data<int32_t>() + i * width);
      } catch (const std::exception &error) {
        errors[i] = error.what();
      }
    }
  });
  for (int64_t i = 0; i < batch; i++) {
    if (!errors[i].empty()) throw std::runtime_error("matrix " + std::to_string(i) + ": " + errors[i]);
  }
}

const bool isAssignmentRegistered = Register({"PyramidalLinearSumAssignment",
                                              {},
                                              {"costs: float", "rows: bool", "columns: bool"},
                                              {"column_of_row: int32", "row_of_column: int32"},
                                              false,
                                              nullptr,
                                              &RunKernel<ComputeAssignment>,
                                              nullptr});

}  // namespace
}  // namespace pyramidal
